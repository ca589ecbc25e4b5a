"""Tables for phone numbers: ranges kept for films and examples, prefixes that once were right, words that stand beside a number.

The ranges are those that the regulators publish; London's 020 7946 0 is left out, because examples everywhere use it as a number.
"""

# Numbers that are given to nobody, by the E.164 digits they begin with.
FICTION = (
    # Ofcom: London's apart, see above.
    "+441632960", "+441134960", "+441144960", "+441154960", "+441164960", "+441174960", "+441184960", "+441214960",
    "+441314960", "+441414960", "+441514960", "+441614960", "+441914980", "+442896496", "+442920180", "+447700900",
    "+448081570", "+449098790", "+443069990",
    # ACMA.
    "+61255501", "+61270101", "+61355501", "+61370101", "+61755501", "+61770101", "+61855501", "+61870101", "+611800975",
    "+61491570006", "+61491570156", "+61491570157", "+61491570158", "+61491570159", "+61491570110", "+61491570313",
    "+61491570737", "+61491571266", "+61491571491", "+61491571804", "+61491572549", "+61491572665", "+61491572983",
    "+61491573770", "+61491573087", "+61491574118", "+61491574632", "+61491575254", "+61491575789", "+61491576398",
    "+61491576801", "+61491577426", "+61491577644", "+61491578957", "+61491578148", "+61491578888", "+61491579212",
    "+61491579760", "+61491579455",
    # Arcep.
    "+3319900", "+3326191", "+3335301", "+3346571", "+3353649", "+3363998",
    # Bundesnetzagentur.
    "+493023125", "+496990009", "+494066969", "+492214710", "+498999998", "+4917139200",
)  # fmt: skip
FICTION_LENGTHS = tuple(sorted({len(head) for head in FICTION}))
FICTION_HEADS = frozenset(FICTION)

# Vietnam's mobiles of eleven digits became ones of ten in 2018.
VIETNAM_2018 = {
    "120": "70", "121": "79", "122": "77", "126": "76", "128": "78", "123": "83", "124": "84", "125": "85", "127": "81",
    "129": "82", "162": "32", "163": "33", "164": "34", "165": "35", "166": "36", "167": "37", "168": "38", "169": "39",
    "186": "56", "188": "58", "199": "59",
}  # fmt: skip

# Words before the digits of an extension, longest first.
EXTENSION_WORDS = (
    "extension", "durchwahl", "interno", "toestel", "wewn", "anexo", "ramal", "poste", "extn", "ext", "int", "доб", "вн",
    "内線", "分机", "转", "轉", "dw", "x", "#",
)  # fmt: skip

# Words between two numbers.
BETWEEN = ("or", "oder", "ou", "und", "and", "et", "y", "lub", "eller", "of", "oppure", "или", "и")
