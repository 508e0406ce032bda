"""How a file goes wrong: bytes, documents (YAML, JSON) and zips (archives, arrays), by chance."""

import io
import json
import struct
import warnings
import zipfile

import yaml

ODD = [
    None, True, -1, 0, 1, 0.5, 10**30, -(10**30), 1e308, float("nan"), float("inf"), "", " ",
    "x" * 3000, "../../x", "/etc/passwd", "a\0b", "\u202e",
    [], {}, [[]], {"a": {}}, [{}], [None], "42", "1e3",
    "2001-02-30", list(range(50)), {str(i): i for i in range(50)},
]  # fmt: skip
NUMBERS = [0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
NAMES = ["../evil.jpg", "/etc/evil.jpg", "train/../../evil.jpg", "C:\\evil.jpg", "x" * 5000, ""]
TEXTS = [
    b"a: &a [x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: [*b, *b, *b, *b, *b, *b, *b, *b]\n",
    b"[" * 5000, b"{" * 5000, b"a: " + b"9" * 5000, b"- " * 3000, b"a: !!timestamp x", b"\xff\xfe",
    b"a: !!bool x", b"a: !!python/object/apply:os.system [touch evil]", b"? {a: b}\n: c", b"\x00",
    b"a: 1\na: 2\n", b"a: .nan\nb: .inf\n", b'{"a": 1, "a": 2}', b'{"a": NaN, "b": 1e999}',
    b"a: [" + b"1," * 60_000 + b"1]\n", b"seeds: [" + b"1," * 60_000 + b"1]\n", b"study: ../../x\n",
    b"a: 2001-99-99", b"a: !!binary x", b"--- 1\n--- 2\n", b"%YAML 9.9\n---\na: 1",
]  # fmt: skip


def mutated_bytes(chance, seeds):
    """One of `seeds` after one to four small accidents; seldom left whole."""
    content = bytearray(chance.choice(seeds))
    for _ in range(chance.choice([0, 1, 1, 1, 2, 2, 3, 4])):
        content = _accident(chance, content, seeds)
    return bytes(content)


def _accident(chance, content, seeds):
    at = chance.randrange(len(content) + 1)
    end = min(len(content), at + chance.choice([1, 2, 4, 16, 200]))
    kind = chance.randrange(8)
    if kind == 0 and at < len(content):
        content[at] ^= 1 << chance.randrange(8)
    elif kind == 1 and at < len(content):
        content[at] = chance.choice([0, 9, 10, 32, 44, 48, 127, 128, 255])
    elif kind == 2:
        del content[at:end]
    elif kind == 3:
        content[at:at] = content[at:end] * chance.choice([1, 2, 50])
    elif kind == 4:
        del content[at:]
    elif kind == 5:
        content[at:end] = chance.randbytes(end - at)
    elif kind == 6:
        content[at : at + 4] = struct.pack("<I", chance.choice(NUMBERS))
    else:
        content[at:] = chance.choice(seeds)[at:]
    return content


def mutated_document(chance, seeds):
    """A YAML or JSON document with a value exchanged, taken away or moved; or with an accident."""
    if chance.random() < 0.25:
        return mutated_bytes(chance, [*seeds, *TEXTS])
    seed = chance.choice(seeds)
    is_json = seed.lstrip().startswith(b"{")
    content = json.loads(seed) if is_json else yaml.safe_load(seed)
    for _ in range(chance.choice([1, 1, 2, 3])):
        content = _changed(chance, content)
    if is_json:
        return json.dumps(content, default=str).encode()
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False).encode()


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data):  # read_yaml refuses them all, which would hide the rest
        return True


def _changed(chance, value):
    """The tree with one node changed, the nodes nearer to the root less often."""
    inner = range(len(value)) if isinstance(value, list) else value
    if not (isinstance(value, (dict, list)) and inner) or chance.random() < 0.1:
        return chance.choice([*ODD, [value], {"value": value}, str(value)])
    key = chance.choice(list(inner))
    value = value.copy()
    kind = chance.random()
    if kind < 0.15:
        del value[key]
    elif kind < 0.25 and isinstance(value, dict):
        value[str(chance.choice(ODD))[:100]] = value.pop(key)
    elif kind < 0.35:
        value[key] = value[chance.choice(list(inner))]
    else:
        value[key] = _changed(chance, value[key])
    return value


def mutated_zip(chance, seeds):
    """A zip (or npz) with an accident, or packed anew around changed names and contents."""
    if chance.random() < 0.4:
        return mutated_bytes(chance, seeds)
    with zipfile.ZipFile(io.BytesIO(chance.choice(seeds))) as archive:
        entries = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    for _ in range(chance.choice([1, 1, 2])):
        at = chance.randrange(len(entries))
        entries[at : at + 1] = _entries(chance, *entries[at])
    buffer = io.BytesIO()
    method = chance.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
    with zipfile.ZipFile(buffer, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two entries of one name are meant
        for name, content in entries:
            archive.writestr(name or "_", content)
    return buffer.getvalue()


def _entries(chance, name, content):
    """What takes the place of one entry of a zip."""
    kind = chance.randrange(6)
    if kind == 0:
        return [(chance.choice(NAMES), content)]
    if kind == 1:
        return [(name, content)] * 2
    if kind == 2:
        return []
    if kind == 3 and chance.random() < 0.1:
        return [(name, content[:128] + bytes(200_000_000))]  # a bomb
    if content.startswith(b"\x93NUMPY") and chance.random() < 0.5:
        return [(name, _header(chance, content))]
    return [(name, mutated_bytes(chance, [content]))]


def _header(chance, content):
    """Another shape or dtype in the header of a .npy; its length is kept."""
    size = int.from_bytes(content[8:10], "little")
    header = content[10 : 10 + size]
    old, new = chance.choice([
        (b"(20,", b"(1000000000,"), (b"(20,", b"(999999999999999,"), (b"(20,", b"(0,"),
        (b"(20,", b"(-1,"), (b"(20,", b"(4, 5,"), (b"(2, 3)", b"(1099511627776, 3)"),
        (b"<f2", b"<f8"), (b"<f2", b"|S2"), (b"<f8", b"<M8[s]"), (b"|u1", b"|O"), (b"|u1", b">i8"),
        (b"<U", b">U"), (b"False", b"True"),
    ])  # fmt: skip
    header = header.replace(old, new).rstrip()[: size - 1].ljust(size - 1) + b"\n"
    return content[:10] + header + content[10 + size :]
