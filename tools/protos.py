"""Builds and checks the contract without a network: `python tools/protos.py generate | check | release`.

protoc comes from grpcio-tools and buf from buf-bin, both wheels. The third-party protos come from wheels too:
google/api and google/rpc as files in googleapis-common-protos, google/protobuf as files in grpcio-tools, and
buf/validate as the descriptor that the protovalidate wheel carries. None of them is committed.

`release` freezes the contract as it is now in proto/released.binpb; `check` refuses whatever breaks a client of that.
"""

import filecmp
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

from google.protobuf import descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2
from protovalidate._gen.buf.validate import validate_pb

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
SOURCE = ROOT / "src"
RELEASED = PROTO / "released.binpb"
VALIDATE = "buf/validate/validate.proto"
# Everything that `generate` writes; whatever else lies in these folders is stale.
GENERATED = (Path("kapda/api"), Path("buf"))
PACKAGE_DOC = '"""Generated from proto/ by tools/protos.py; never edited."""\n'


class ProtosError(Exception):
    """A tool refused; its own words are the message."""


def generate(target: Path, proto: Path = PROTO) -> None:
    """Write messages, services and their type stubs for every proto under `target`, which has none yet."""
    plugins = [f"--plugin=protoc-gen-{name}={_script(f'protoc-gen-{name}')}" for name in ("mypy", "mypy_grpc")]
    outputs = [f"--python_out={target}", f"--mypy_out={target}"]
    services = [f"--grpc_python_out={target}", f"--mypy_grpc_out=only_async:{target}"]
    _protoc(proto, [*plugins, *outputs, *_names(proto), VALIDATE])
    _protoc(proto, [*plugins, *services, *(name for name in _names(proto) if name.endswith("_service.proto"))])
    for package in (target / "kapda" / "api", *sorted((target / "kapda" / "api").rglob("*/"))):
        (package / "__init__.py").write_text(PACKAGE_DOC, encoding="utf-8")


def replace_generated() -> None:
    """Put freshly generated code in the place of what is there, once all of it could be made."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        for part in GENERATED:
            shutil.rmtree(SOURCE / part, ignore_errors=True)
            shutil.copytree(Path(folder) / part, SOURCE / part)


def check_fresh() -> None:
    """Refuse generated code that is not what the protos say now."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate(fresh)
        stale = [name for part in GENERATED for name in _differences(fresh / part, SOURCE / part)]
    if stale:
        raise ProtosError("generated code is stale (run `python tools/protos.py generate`):\n  " + "\n  ".join(stale))


def lint(proto: Path = PROTO) -> None:
    """Refuse names, shapes and missing comments that buf's STANDARD and COMMENTS rules refuse."""
    with tempfile.TemporaryDirectory() as folder:
        _buf(["lint", str(build_image(Path(folder), proto)), "--path", "kapda"])


def check_format() -> None:
    """Refuse layout that `buf format` would change."""
    _buf(["format", "--diff", "--exit-code", "proto"])


def check_breaking(proto: Path = PROTO, released: Path = RELEASED) -> None:
    """Refuse a contract that breaks code or messages of a client built for the released one."""
    with tempfile.TemporaryDirectory() as folder:
        image = build_image(Path(folder), proto)
        _buf(["breaking", str(image), "--against", str(released), "--path", "kapda"])


def release() -> None:
    """Freeze the present contract as the released one. Part of a release, and of nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(build_image(Path(folder), PROTO, comments=False), RELEASED)


def build_image(folder: Path, proto: Path, *, comments: bool = True) -> Path:
    """Compile every proto with its imports into one descriptor set that buf reads."""
    image = folder / "image.binpb"
    source_info = ["--include_source_info"] if comments else []
    _protoc(proto, ["--include_imports", *source_info, "-o", str(image), *_names(proto)])
    return image


def _names(proto: Path) -> list[str]:
    return sorted(path.relative_to(proto).as_posix() for path in proto.rglob("*.proto"))


def _protoc(proto: Path, arguments: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        validate = Path(folder) / "validate.binpb"
        validate.write_bytes(_validate_descriptors())
        well_known = files("grpc_tools") / "_proto"
        includes = [f"-I{proto}", f"-I{sysconfig.get_path('purelib')}", f"-I{well_known}"]
        _run(
            [sys.executable, "-m", "grpc_tools.protoc", *includes, f"--descriptor_set_in={validate}", *arguments],
        )


def _validate_descriptors() -> bytes:
    """buf/validate/validate.proto and what it imports, as a FileDescriptorSet."""
    descriptors = descriptor_pb2.FileDescriptorSet()
    for module in (descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2):
        descriptors.file.add().ParseFromString(module.DESCRIPTOR.serialized_pb)
    descriptors.file.add().ParseFromString(validate_pb.desc().proto.to_binary())
    return descriptors.SerializeToString()


def _buf(arguments: Sequence[str]) -> None:
    _run([_script("buf"), *arguments])


def _script(name: str) -> str:
    return str(Path(sysconfig.get_path("scripts")) / name)


def _run(command: Sequence[str]) -> None:
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own tools
    if finished.returncode != 0:
        raise ProtosError(f"{Path(command[0]).name}: {finished.stdout}{finished.stderr}".strip())


def _differences(fresh: Path, committed: Path) -> list[str]:
    wanted = {path.relative_to(fresh) for path in fresh.rglob("*.py*")}
    present = {path.relative_to(committed) for path in committed.rglob("*.py*") if path.suffix != ".pyc"}
    changed = {name for name in wanted & present if not filecmp.cmp(fresh / name, committed / name, shallow=False)}
    return sorted(str(name) for name in (wanted ^ present) | changed)


def main(arguments: Sequence[str]) -> int:
    """Run one command; 0 when all is well, 1 with the reasons on standard error when not, 2 for an unknown command."""
    commands: dict[str, list[Callable[[], None]]] = {
        "generate": [lambda: _buf(["format", "--write", "proto"]), replace_generated],
        "check": [check_format, lint, check_breaking, check_fresh],
        "release": [release],
    }
    if len(arguments) != 1 or arguments[0] not in commands:
        sys.stderr.write(f"usage: protos.py {' | '.join(commands)}\n")
        return 2
    failed = False
    for step in commands[arguments[0]]:
        try:
            step()
        except ProtosError as error:
            sys.stderr.write(f"{error}\n")
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
