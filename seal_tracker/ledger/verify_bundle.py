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
    book = json.loads(content.read("ledger.json"))
    trusted, keys = {load_pem_public_key(open(name, "rb").read()).public_bytes_raw() for name in key_files}, set()
    said = signed(content.read("manifest.jws").decode(), "seal-tracker.evidence+jws", keys)
    for name, digest in said["sha256"].items():
        need(sha256(content.read(name)).hex() == digest, f"{name} is not as it was exported")
    shown = []
    for run in book["runs"]:  # from a link of the journey, link by link, to the checkpoint after it
        link_hash = bytes.fromhex(run["previous"])
        for link in run["links"]:
            hashes = [sha256(e.encode()) if isinstance(e, str) else bytes.fromhex(e["sha256"]) for e in link["entries"]]
            of_entries = sha256(b"".join(hashes)) if hashes else bytes.fromhex(link["entries_hash"])
            link_hash = sha256(struct.pack(">Q32sQ32s", link["number"], link_hash, link["recorded_ms"], of_entries))
            shown += [(link["number"], json.loads(e)) for e in link["entries"] if isinstance(e, str)]
        end = signed(run["checkpoint"], "seal-tracker.ledger.checkpoint+jws", keys)
        need((end["number"], end["hash"]) == (link["number"], link_hash.hex()), f"links up to {link['number']} are not those that were signed")
    need(keys <= trusted or not trusted, "signed by a key that is none of those given")
    for number, entry in shown:
        what = entry["type"] if "type" in entry else f"{entry['action']} by {entry['actor']}"
        print(f"{number:>8}  {entry['time']}  {what}  {entry['subject']}")
    print(f"Journey {book['journey']}: {len(shown)} entries proven; exported {said['time']} with {', '.join(said['sha256'])}")
    for key in keys:
        print(f"Signed by the key with SHA-256 {sha256(key).hex()}" + ("" if trusted else ": compare it"))

if __name__ == "__main__":
    main(*(sys.argv[1:] if sys.argv[0].endswith(".py") else sys.argv))
