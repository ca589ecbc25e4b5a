"""Commands survive the shell: what was meant is what curl is given."""

import subprocess

from hypothesis import example, given
from hypothesis import strategies as st

from api.pages.commands import BASE, curl, url


def test_a_read_needs_no_method_and_an_open_one_no_key() -> None:
    assert curl("GET", url("/live", {}, {}), needs_key=False) == f"curl -sS '{BASE}/live'"


def test_values_are_put_into_the_address_encoded() -> None:
    assert (
        url("/v1/{source}/{key}:rekey", {"source": "pos", "key": "a/b'c"}, {"wait": "5"})
        == f"{BASE}/v1/pos/a%2Fb%27c:rekey?wait=5"
    )


@example("\\\n")
@given(body=st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1))
def test_a_shell_gives_curl_the_very_body(body: str) -> None:
    command = curl("POST", url("/v1/lookup", {}, {}), needs_key=True, body=body)
    told = f"curl() {{ printf '%s\\0' \"$@\"; }}\n{command}".encode()
    given = subprocess.run(["sh", "-c", told], stdout=subprocess.PIPE, check=True).stdout.decode().split("\0")[:-1]
    assert given[:4] == ["-sS", "-X", "POST", f"{BASE}/v1/lookup"]
    assert given[-4:] == ["-H", "Content-Type: application/json", "-d", body]


def test_lines_are_sent_as_they_are() -> None:
    command = curl("POST", BASE, needs_key=True, body='{"a":1}', media_type="application/x-ndjson")
    assert command.endswith("""-H 'Content-Type: application/x-ndjson' \\\n  --data-binary '{"a":1}'""")
    assert '"Authorization: Bearer $MDM_KEY"' in command
