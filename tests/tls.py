"""Certificates of an authority of our own, and TLS in front of servers that speak none, as a server of theirs speaks it.

The embedded servers are built without TLS. What is tested is our side: who is trusted, under which name, and that nothing goes in
clear. PostgreSQL's own beginning is kept: eight bytes that ask for TLS, and `S`.
"""

import asyncio
import ipaddress
import ssl
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ASKS_FOR_TLS = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key, as files."""

    chain: Path
    key: Path


class Authority:
    """Signs certificates for names of this machine."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / f"{name}.pem"
        signed = self._signed(self._name, self._key.public_key(), [], is_authority=True)
        self.file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def certificate(self, *names: str, days: int = 1) -> Certificate:
        """Sign one for names and addresses; negative days make one that is over."""
        key, stem = ec.generate_private_key(ec.SECP256R1()), "-".join([names[0], str(days), str(len(names))])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        made = Certificate(self._folder / f"{stem}.crt", self._folder / f"{stem}.key")
        signed = self._signed(subject, key.public_key(), names, days=days)
        made.chain.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        kind = serialization.PrivateFormat.PKCS8
        made.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()))
        return made

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        names: tuple[str, ...] | list[str],
        *,
        is_authority: bool = False,
        days: int = 1,
    ) -> x509.Certificate:
        begun = datetime.now(UTC) - timedelta(days=2)
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        made = made.serial_number(x509.random_serial_number()).not_valid_before(begun)
        made = made.not_valid_after(datetime.now(UTC) + timedelta(days=days))
        made = made.add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = made.add_extension(signer, critical=False)
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        if is_authority:
            usage = dict.fromkeys(
                ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
            )
            signs = x509.KeyUsage(**usage, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False)
            made = made.add_extension(signs, critical=True)
        if names:
            made = made.add_extension(x509.SubjectAlternativeName([_named(name) for name in names]), critical=False)
        return made.sign(self._key, hashes.SHA256())


def _named(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Front:
    """TLS on a port of this machine before a server that speaks none. `opened`: how many came through it by TLS."""

    def __init__(self, certificate: Certificate, host: str, port: int, *, is_postgres: bool = False) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.chain, certificate.key)
        self._behind, self._is_postgres = (host, port), is_postgres
        self.opened, self.port, self._loop = 0, 0, asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    async def _listen(self) -> None:
        context = None if self._is_postgres else self._context
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._is_postgres:
                if await reader.readexactly(8) != ASKS_FOR_TLS:
                    return  # In clear nobody is let in.
                writer.write(b"S")
                await writer.start_tls(self._context)
            self.opened += 1
            behind_reader, behind_writer = await asyncio.open_connection(*self._behind)
            await asyncio.gather(_pump(reader, behind_writer), _pump(behind_reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass  # Who refuses the certificate hangs up.
        finally:
            writer.close()

    def end(self) -> None:
        """Listen no more, and let go of who is connected."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        served = asyncio.all_tasks() - {asyncio.current_task()}
        for task in served:
            task.cancel()
        await asyncio.gather(*served, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
