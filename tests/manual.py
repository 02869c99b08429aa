"""What docs/operations.md shows to be pasted, as it stands there."""

import pathlib
import re
import tomllib

PAGE = pathlib.Path(__file__).resolve().parents[1] / "docs" / "operations.md"


def blocks():
    """Every piece of configuration on the page: fenced as TOML, or written to a file by a shell."""
    page = PAGE.read_text(encoding="utf-8")
    fenced = re.findall(r"^```toml\n(.*?)^```$", page, re.S | re.M)
    written = re.findall(r"^cat >>? rollcall\.toml <<'END'\n(.*?)^END$", page, re.S | re.M)
    return fenced + written


def block(table):
    """The one piece that begins this table, `senders.carrier` for instance."""
    (found,) = [it for it in blocks() if f"[{table}]" in it]
    return found


def named():
    """The tables of which a test must know: each sender, and what else the page configures."""
    names = set()
    for it in blocks():
        for key, value in tomllib.loads(it).items():
            if isinstance(value, dict):
                below = [name for name in value if isinstance(value[name], dict)]
                names.update(f"{key}.{name}" for name in below)
                names.update([] if below else [key])
    return names


def set_up(text, **places):
    """`text` with other hosts, ports and secrets in the place of the examples'; nothing else may change,
    and each must be there. `base`, where the page leaves the provider's own address in force, is added."""
    for key, value in places.items():
        line = re.compile(rf'^({key}\s*=\s*)"[^"]*"', re.M)
        if key == "base" and not line.search(text):
            text, count = re.subn(r"^(preset\s*=.*)$", rf'\1\nbase = "{value}"', text, count=1, flags=re.M)
        else:
            text, count = line.subn(lambda it: f'{it[1]}"{value}"', text)
        assert count == 1, f"{key} stands {count} times in {text}"
    return text


def joined(*texts):
    """Several pieces as one file: what stands above the first table once, at the top."""
    top, tables = {}, []
    for text in texts:
        begins = re.search(r"^\[", text, re.M).start()
        top.update({line.split("=")[0].strip(): line for line in text[:begins].splitlines() if "=" in line})
        tables.append(text[begins:])
    return "\n".join(top.values()) + "\n" + "\n".join(tables)
