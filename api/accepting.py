"""What an Accept header asks for, by its media ranges and their weights (RFC 9110, 12.5.1). Never answers."""


def prefers(accept: str | None, wanted: str, usual: str) -> bool:
    """Say whether a media type is asked for at least as much as the usual one; a range that fits both asks for the usual."""
    weights = dict(_range(one) for one in (accept or "").split(",") if one.strip())
    asked, otherwise = _weight(weights, wanted), _weight(weights, usual)
    return asked > 0 and (asked >= otherwise if wanted in weights else asked > otherwise)


def _range(text: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    weight = next((one[2:] for one in parameters if one.startswith("q=")), "1")
    try:
        return name, float(weight)
    except ValueError:
        return name, 0.0


def _weight(weights: dict[str, float], media_type: str) -> float:
    """The weight of the range that names a type most exactly; what none names is not asked for."""
    names = (media_type, f"{media_type.partition('/')[0]}/*", "*/*")
    return next((weights[name] for name in names if name in weights), 0.0)
