"""Says in a policy's own text that a source has another stage, leaving the writer's comments and order as they are. Pure."""

import yaml

from mdm import policy as policies
from mdm.documents import DocumentError
from mdm.policy import Policy
from mdm.policy_schema import Stage


def with_stage(ruling: Policy, source: str, stage: Stage, reason: str) -> Policy:
    """The same policy with one stage changed, its text as well; the reason stands above it as a comment.

    A text that cannot be changed in place (a source that is an alias of another) is written anew, without its comments.
    """
    changed = ruling.sources[source].model_copy(update={"stage": stage})
    wanted = ruling.model_copy(update={"sources": {**ruling.sources, source: changed}})
    wanted = Policy.model_validate(wanted.body())
    comment = "".join(f"# {line}\n" for line in reason.splitlines())
    written = ruling.text.removeprefix("\ufeff")  # Behind the comment a byte order mark would be part of the first key.
    for text in (_edited(written, source, stage), yaml.safe_dump(wanted.body(), sort_keys=False, allow_unicode=True)):
        try:
            made = policies.parse(comment + text)
        except DocumentError:
            continue
        if made.fingerprint == wanted.fingerprint:
            return made
    return wanted.as_version(0, comment)


def _edited(text: str, source: str, stage: Stage) -> str:
    """Put the stage into the text of the source: over the one there, else as its first line."""
    declared = _child(_child(yaml.compose(text, Loader=yaml.SafeLoader), "sources"), source)
    if not isinstance(declared, yaml.MappingNode):
        return text
    known = _child(declared, "stage")
    if known is not None:
        return f"{text[: known.start_mark.index]}{stage}{text[known.end_mark.index :]}"
    if not declared.value:
        return text
    # Before its first field, not where the source begins: there may stand a tag or an anchor.
    start = declared.value[0][0].start_mark
    gap = ", " if declared.flow_style else "\n" + " " * start.column
    return f"{text[: start.index]}stage: {stage}{gap}{text[start.index :]}"


def _child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)
