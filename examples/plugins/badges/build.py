"""Makes `badges.wasm` of `app.py`: compiles it, and puts the manifest in.

    pip install componentize-py
    python3 build.py
"""

import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
# The contract, as the SDK has it.
WIT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "../../../plugin-sdk/wit/0.1.0"


def leb128(number: int) -> bytes:
    """An unsigned number, as WebAssembly writes it."""
    out = bytearray()
    while True:
        byte, number = number & 0x7F, number >> 7
        out.append(byte | (0x80 if number else 0))
        if not number:
            return bytes(out)


def custom_section(name: str, content: bytes) -> bytes:
    body = leb128(len(name)) + name.encode() + content
    return b"\x00" + leb128(len(body)) + body


component = HERE / "badges.wasm"
compiler = pathlib.Path(sys.executable).with_name("componentize-py")
words = ["-d", str(WIT), "-w", "provider", "componentize", "-p", str(HERE), "app", "-o", str(component)]
subprocess.run([str(compiler) if compiler.exists() else "componentize-py", *words], check=True)
with component.open("ab") as file:
    file.write(custom_section("bimetal:manifest", (HERE / "manifest.json").read_bytes()))
