"""Checks an evidence bundle of Seal Tracker, offline: python verify_bundle.py BUNDLE.zip [PUBLIC-KEY.pem]...

Bundles bring it along: python BUNDLE.zip [PUBLIC-KEY.pem]... Needs Python 3.9 and `pip install cryptography`, nothing of Seal Tracker.
"""
import base64, hashlib, json, struct, sys, zipfile
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

sha256 = lambda data: hashlib.sha256(data).digest()
unbase64 = lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

def need(holds, what):
    holds or sys.exit(f"NOT PROVEN: {what}")

def signed(jws, typ, keys):
    head, payload, signature = jws.split(".")
    header = json.loads(unbase64(head))
    keys.add(unbase64(header["jwk"]["x"]))
    Ed25519PublicKey.from_public_bytes(unbase64(header["jwk"]["x"])).verify(unbase64(signature), f"{head}.{payload}".encode())
    need(header["typ"] == typ, "something was signed for another purpose")
    return json.loads(unbase64(payload))

def main(bundle, *key_files):
    content = zipfile.ZipFile(bundle)
    book, shown, before, since, last = json.loads(content.read("ledger.json")), [], 0, 0, []
    trusted, keys = {load_pem_public_key(open(name, "rb").read()).public_bytes_raw() for name in key_files}, set()
    export = signed(content.read("manifest.jws").decode(), "seal-tracker.evidence+jws", keys)
    for name, digest in export["sha256"].items():
        need(sha256(content.read(name)).hex() == digest, f"{name} is not as it was exported")
    for run in book["runs"]:  # from a link of the journey, link by link, to the checkpoint after it
        link_hash = bytes.fromhex(run["previous"])
        for number, link in ((link["number"], link) for link in run["links"]):
            hashes = [sha256(e.encode()) if isinstance(e, str) else bytes.fromhex(e["sha256"]) for e in link["entries"]]
            of_entries = sha256(b"".join(hashes)) if hashes else bytes.fromhex(link["entries_hash"])
            link_hash = sha256(struct.pack(">Q32sQ32s", number, link_hash, link["recorded_ms"], of_entries))
            own = [json.loads(e) for e in link["entries"] if isinstance(e, str)]
            if told := [e for e in own if "index" not in e]:  # its index says how many they are, and which link of the journey was before
                index = [e["index"] for e in own if e.get("index") and e["journey"] == book["journey"]]
                need(index == [{"after": before, "entries": len(told)}] or not (index or since), f"entries up to link {number} were left out")
                before, last, since = number, told, since or (number if index else 0)
                shown += [(number, e["time"], e.get("type") or f"{e['action']} by {e['actor']}", e["subject"]) for e in told]
        end = signed(run["checkpoint"], "seal-tracker.ledger.checkpoint+jws", keys)
        need((end["number"], end["hash"]) == (number, link_hash.hex()), f"links up to {number} are not those that were signed")
    need(any(e.get("action") == "ledger.exported" for e in last), "the end was left out: the last entry is no export")
    need(keys <= trusted or not trusted, "signed by a key that is none of those given")
    print(*("{:>8}  {}  {}  {}".format(*entry) for entry in shown), *(f"Signed by the key with SHA-256 {sha256(key).hex()}" + ("" if trusted else ": compare it") for key in keys), sep="\n")
    print(f"Journey {book['journey']}: {len(shown)} entries proven, none left out since link {since}{' (of those before nobody kept count)' * (since != shown[0][0])}; exported {export['time']} with {', '.join(export['sha256'])}")

if __name__ == "__main__":
    main(*(sys.argv[1:] if sys.argv[0].endswith(".py") else sys.argv))
