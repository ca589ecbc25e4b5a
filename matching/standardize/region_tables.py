"""States, provinces and counties by country: what people write, and the short form that the post of the country uses.

Where the post has no short form the region is known and shown as written. Data only; all names folded.
"""

# code: name and other ways to write it (parted by |)
_CODED = {
    "US": """AL alabama|AK alaska|AZ arizona|AR arkansas|CA california|CO colorado|CT connecticut|DE delaware
        |DC district of columbia,d c|FL florida|GA georgia|HI hawaii|ID idaho|IL illinois|IN indiana|IA iowa|KS kansas|KY kentucky
        |LA louisiana|ME maine|MD maryland|MA massachusetts|MI michigan|MN minnesota|MS mississippi|MO missouri|MT montana
        |NE nebraska|NV nevada|NH new hampshire|NJ new jersey|NM new mexico|NY new york|NC north carolina|ND north dakota|OH ohio
        |OK oklahoma|OR oregon|PA pennsylvania|PR puerto rico|RI rhode island|SC south carolina|SD south dakota|TN tennessee
        |TX texas|UT utah|VT vermont|VA virginia|WA washington,washington state|WV west virginia|WI wisconsin|WY wyoming|GU guam
        |VI virgin islands""",
    "CA": """AB alberta|BC british columbia|MB manitoba|NB new brunswick|NL newfoundland and labrador,newfoundland|NS nova scotia
        |NT northwest territories|NU nunavut|ON ontario|PE prince edward island|QC quebec|SK saskatchewan|YT yukon""",
    "AU": """ACT australian capital territory|NSW new south wales|NT northern territory|QLD queensland|SA south australia
        |TAS tasmania|VIC victoria|WA western australia""",
    "BR": """AC acre|AL alagoas|AP amapa|AM amazonas|BA bahia|CE ceara|DF distrito federal|ES espirito santo|GO goias|MA maranhao
        |MT mato grosso|MS mato grosso do sul|MG minas gerais|PA para|PB paraiba|PR parana|PE pernambuco|PI piaui
        |RJ rio de janeiro|RN rio grande do norte|RS rio grande do sul|RO rondonia|RR roraima|SC santa catarina|SP sao paulo
        |SE sergipe|TO tocantins""",
    "IT": """AG agrigento|AL alessandria|AN ancona|AO aosta|AR arezzo|AP ascoli piceno|AT asti|AV avellino|BA bari
        |BT barletta andria trani|BL belluno|BN benevento|BG bergamo|BI biella|BO bologna|BZ bolzano|BS brescia|BR brindisi
        |CA cagliari|CL caltanissetta|CB campobasso|CE caserta|CT catania|CZ catanzaro|CH chieti|CO como|CS cosenza|CR cremona
        |KR crotone|CN cuneo|EN enna|FM fermo|FE ferrara|FI firenze|FG foggia|FC forli cesena|FR frosinone|GE genova|GO gorizia
        |GR grosseto|IM imperia|IS isernia|SP la spezia|AQ l aquila,laquila|LT latina|LE lecce|LC lecco|LI livorno|LO lodi
        |LU lucca|MC macerata|MN mantova|MS massa carrara|MT matera|ME messina|MI milano|MO modena|MB monza e brianza|NA napoli
        |NO novara|NU nuoro|OR oristano|PD padova|PA palermo|PR parma|PV pavia|PG perugia|PU pesaro e urbino|PE pescara
        |PC piacenza|PI pisa|PT pistoia|PN pordenone|PZ potenza|PO prato|RG ragusa|RA ravenna|RC reggio calabria
        |RE reggio emilia|RI rieti|RN rimini|RM roma|RO rovigo|SA salerno|SS sassari|SV savona|SI siena|SR siracusa|SO sondrio
        |SU sud sardegna|TA taranto|TE teramo|TR terni|TO torino|TP trapani|TN trento|TV treviso|TS trieste|UD udine|VA varese
        |VE venezia|VB verbano cusio ossola|VC vercelli|VR verona|VV vibo valentia|VI vicenza|VT viterbo""",
}

_NAMED = {
    "GB": """bedfordshire berkshire buckinghamshire cambridgeshire cheshire cornwall cumbria derbyshire devon dorset durham essex
        gloucestershire hampshire herefordshire hertfordshire kent lancashire leicestershire lincolnshire merseyside norfolk
        northamptonshire northumberland nottinghamshire oxfordshire rutland shropshire somerset staffordshire suffolk surrey
        warwickshire wiltshire worcestershire middlesex fife gwent gwynedd powys dyfed clwyd avon sussex yorkshire
        east_sussex west_sussex north_yorkshire south_yorkshire west_yorkshire east_yorkshire west_midlands greater_london
        greater_manchester tyne_and_wear isle_of_wight isle_of_man county_durham co_durham county_antrim co_antrim county_down
        co_down county_armagh co_armagh south_glamorgan mid_glamorgan west_glamorgan""",
    "IE": """co_carlow county_carlow co_cavan county_cavan co_clare county_clare co_cork county_cork co_donegal county_donegal
        co_dublin county_dublin co_galway county_galway co_kerry county_kerry co_kildare county_kildare co_kilkenny
        county_kilkenny co_laois county_laois co_leitrim county_leitrim co_limerick county_limerick co_longford
        county_longford co_louth county_louth co_mayo county_mayo co_meath county_meath co_monaghan county_monaghan
        co_offaly county_offaly co_roscommon county_roscommon co_sligo county_sligo co_tipperary county_tipperary
        co_waterford county_waterford co_westmeath county_westmeath co_wexford county_wexford co_wicklow county_wicklow""",
    "ES": """a_coruna alava albacete alicante almeria asturias avila badajoz barcelona bizkaia burgos caceres cadiz cantabria
        castellon ciudad_real cordoba cuenca girona gipuzkoa granada guadalajara huelva huesca jaen la_rioja las_palmas leon
        lleida lugo madrid malaga murcia navarra ourense palencia pontevedra salamanca santa_cruz_de_tenerife segovia sevilla
        soria
        tarragona teruel toledo valencia valladolid vizcaya zamora zaragoza baleares illes_balears cataluna
        andalucia galicia""",
    "IN": """andhra_pradesh arunachal_pradesh assam bihar chhattisgarh goa gujarat haryana himachal_pradesh jharkhand karnataka
        kerala madhya_pradesh maharashtra manipur meghalaya mizoram nagaland odisha punjab rajasthan sikkim tamil_nadu telangana
        tripura uttar_pradesh uttarakhand west_bengal""",
    "MX": """aguascalientes ags baja_california b_c baja_california_sur b_c_s campeche camp chiapas chis chihuahua chih coahuila
        coah colima col durango dgo guanajuato gto guerrero gro hidalgo hgo jalisco jal michoacan mich morelos mor nayarit nay
        nuevo_leon n_l oaxaca oax puebla pue queretaro qro quintana_roo q_roo san_luis_potosi s_l_p sinaloa sin sonora son
        tabasco tab tamaulipas tamps tlaxcala tlax veracruz ver yucatan yuc zacatecas zac estado_de_mexico edo_mex""",
    "AR": """buenos_aires catamarca chaco chubut cordoba corrientes entre_rios formosa jujuy la_pampa la_rioja mendoza misiones
        neuquen rio_negro salta san_juan san_luis santa_cruz santa_fe santiago_del_estero tierra_del_fuego tucuman""",
}


def _coded(text: str) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for entry in text.split("|"):
        code, names = entry.strip().split(" ", 1)
        found |= dict.fromkeys((code.lower(), *(name.strip() for name in names.split(","))), code)
    return found


REGIONS: dict[str, dict[str, str | None]] = {country: _coded(text) for country, text in _CODED.items()} | {
    country: dict.fromkeys(name.replace("_", " ") for name in text.split()) for country, text in _NAMED.items()
}
