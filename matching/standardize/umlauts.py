"""Umlauts that were written out: Oezdemir is Özdemir, Mueller is Müller, folded to the same letters. Data, and one function.

Only where the two letters can hardly be meant: in names of a list, and in some beginnings with `oe`. Everywhere else they are
letters of their own: Fuentes, Bauer, de Boer, Raphael, Ueda.
"""

import re

_BEGINNING = re.compile(r"^oe(?=z|k|g|h[lmr]|nd|nal|ner|st|tt)")  # Özdemir and Öhler, not Œdipe.
_PAIRS = re.compile(r"(?<![aeiou])([aou])e")
# Surnames and given names, as they are written out. What is only another name without the pair stands here as well where the
# umlaut itself is folded to it: Gräf is Graf.
_WRITTEN_OUT = """
aebi aeschbacher aeschlimann baecker baehr baer baerwald baeumer boehm boehme boettcher boettger braeuer brueckner bruening
buechner buehler buerger buettner daehne doering doerr duerr engelhaeusser faerber fluegel foerster froehlich fuehrer fuerst
gaertner goebel goetz goetze graebner graef gruen gruenwald guenter guenther haefner haenel haering haeusler hoefer hoefler
hoelzl hoerl hoermann huebner huemer huettner jaeger juengling kaempf kaestner kloeckner knoedler koehler koeller koelling
koenig koerber koerner koester kraehenbuehl kraemer kraeuter kroeger krueger kuehn kuehne kuenzel kuester loeffler loehr
loewe luecke luedtke luescher luethi luetke maechler maeder maertens maerz moeller moeser mueck muehlbauer muehlberger
mueller muench naegele noeth noetzel oberhaensli poehler poetzsch pruess roemer roesch roesler roessler roettger ruehl
saenger schaedlich schaefer schaefers schaeffer schaeffler schaer schaerer schloesser schmoeller schoeller schoen schoenberg
schoene schoenfeld schoepf schoettle schroeder schroeter schueler schuepbach schuermann schuette schuetz schuetze
schwaerzler stoeber stoeckl stoehr suess toepfer traeger troeger tuerk uebel voelkel voelker vogtlaender waechter waelder
weissmueller wuensch wuerth zaehringer zoeller zuend zuercher

baerbel goeran joerdis joerg joern juergen ruediger soenke

akguel akguen buelent buesra bueyuek cetinguel demirguel duendar duezguen goekhan goeksel goenen goenuel guel guelay guelcan
guelsen guelten gueltekin guenay guendogan guendogdu guenduez guenes guengoer guer guerbuez guerkan guersoy guerses huelya
hueseyin huesnue koeksal koeroglu koese kuebra kuecuek mueslim mueslum nilguen nurguel soenmez soezer soeylemez suekrue
sueleyman suemeyye tuelay tuemer tuerkan tuerkoglu uelker uelkue uemit uemmue uenal uenver uerkmez uestuen yuece yuecel
yueksel yuerek

bergstroem bjoern hoegberg joergen nystroem sjoeberg sjoestroem soederberg soederstroem soeren stroem
"""
_SHORT = {word: _PAIRS.sub(r"\1", word) for word in _WRITTEN_OUT.split()}


def without_pairs(folded: str) -> str:
    """Write the words of a folded name with the plain vowel where an umlaut was written out. Applied again it changes nothing."""
    if "e" not in folded:
        return folded
    return " ".join([_SHORT.get(word) or _BEGINNING.sub("o", word) for word in folded.split(" ")])
