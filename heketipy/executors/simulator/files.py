"""coreutils, and the text tools, on the files of a simulated node."""

import re
from collections.abc import Callable

from heketipy.executors.simulator import paths
from heketipy.executors.simulator.context import BadOption, Context, Options, Tool, done, failed, read_options
from heketipy.executors.simulator.paths import KernelError
from heketipy.executors.simulator.state import Entry
from heketipy.executors.transport import Result

GROUPS = {"root": 0, "daemon": 1, "adm": 4, "disk": 6, "users": 100, "nogroup": 65534}
USERS = {"root": 0, "daemon": 1, "nobody": 65534}


def each(context: Context, targets: list[str], act: Callable[[str], None], complaint: str) -> Result:
    """Do something to each of the targets; complain of those where the kernel refused."""
    if not targets:
        return failed(1, f"{context.argv[0]}: missing operand\n")
    errors = []
    for target in targets:
        try:
            act(target)
        except KernelError as error:
            errors.append(complaint.format(tool=context.argv[0], target=target, error=error.text))
    return failed(1, "".join(errors)) if errors else done()


def usage(context: Context, error: BadOption) -> Result:
    """Refuse an option."""
    return failed(1, f"{context.argv[0]}: {error}\nTry '{context.argv[0]} --help' for more information.\n")


def mkdir(context: Context) -> Result:
    """Make directories; -p, -m."""
    options = read_options(context.args, "p|parents v|verbose", "m|mode")

    def act(target: str) -> None:
        if "parents" in options:
            paths.make_directories(context.node, target)
        else:
            paths.make_directory(context.node, target)
        if "mode" in options and (entry := context.node.entry(paths.normal(target))):
            entry.mode = int(options.last("mode"), 8)

    return each(context, options.rest, act, "{tool}: cannot create directory ‘{target}’: {error}\n")


def rmdir(context: Context) -> Result:
    """Remove empty directories; -p is not known here, --ignore-fail-on-non-empty is."""
    options = read_options(context.args, "ignore-fail-on-non-empty v|verbose", "")

    def act(target: str) -> None:
        try:
            paths.remove_directory(context.node, target)
        except KernelError as error:
            if not ("ignore-fail-on-non-empty" in options and error.text == paths.NOT_EMPTY):
                raise

    return each(context, options.rest, act, "{tool}: failed to remove '{target}': {error}\n")


def rm(context: Context) -> Result:
    """Remove files, or with -r trees."""
    options = read_options(context.args, "r|R|recursive f|force d|dir v|verbose one-file-system", "")

    def act(target: str) -> None:
        try:
            if "recursive" in options:
                paths.remove_tree(context.node, target)
            else:
                paths.remove_file(context.node, target)
        except KernelError as error:
            if not ("force" in options and error.text == paths.NO_ENTRY):
                raise

    if "force" in options and not options.rest:
        return done()
    return each(context, options.rest, act, "{tool}: cannot remove '{target}': {error}\n")


def recursive(context: Context, options: Options, target: str, act: Callable[[Entry], None]) -> None:
    """Do something to an entry, and with -R to all below it."""
    entry = context.node.entry(paths.normal(target))
    if entry is None:
        raise KernelError(paths.NO_ENTRY)
    act(entry)
    if "recursive" in options:
        for name in entry.children:
            recursive(context, options, f"{target}/{name}", act)


def number(text: str, names: dict[str, int]) -> int | None:
    """Return an id, given as such or by name; None if there is no such name."""
    return int(text) if text.isdecimal() else names.get(text)


def chown(context: Context) -> Result:
    """Change owner and group: `user`, `user:group`, `:group`."""
    options = read_options(context.args, "R|recursive v|verbose h|no-dereference", "")
    owner, *targets = options.rest or [""]
    if context.argv[0] == "chgrp":
        owner = f":{owner}"
    user, _, group = owner.partition(":")
    uid, gid = number(user, USERS), number(group, GROUPS)
    if user and uid is None:
        return failed(1, f"{context.argv[0]}: invalid user: ‘{owner}’\n")
    if group and gid is None:
        return failed(1, f"{context.argv[0]}: invalid group: ‘{owner}’\n")

    def change(entry: Entry) -> None:
        entry.uid = entry.uid if uid is None else uid
        entry.gid = entry.gid if gid is None else gid

    def act(target: str) -> None:
        recursive(context, options, target, change)

    return each(context, targets, act, "{tool}: cannot access '{target}': {error}\n")


def chmod(context: Context) -> Result:
    """Change the mode: octal, or symbolic for the plain cases."""
    options = read_options(context.args, "R|recursive v|verbose", "")
    mode, *targets = options.rest or [""]
    octal = re.fullmatch(r"[0-7]{1,5}", mode)
    symbolic = [re.fullmatch(r"([ugoa]*)([-+=])([rwxst]*)", clause) for clause in mode.split(",")]
    if not octal and not all(symbolic):
        return failed(1, f"chmod: invalid mode: ‘{mode}’\nTry 'chmod --help' for more information.\n")

    def change(entry: Entry) -> None:
        if octal:
            entry.mode = int(mode, 8)
        else:
            for clause in symbolic:
                if clause:
                    entry.mode = changed_mode(entry.mode, *clause.groups())

    def act(target: str) -> None:
        recursive(context, options, target, change)

    return each(context, targets, act, "{tool}: cannot access '{target}': {error}\n")


def changed_mode(mode: int, who: str, how: str, what: str) -> int:
    """Return a mode after one symbolic clause."""
    bits = 0
    for letter in what:
        if letter in "rwx":
            one = {"r": 4, "w": 2, "x": 1}[letter]
            bits |= sum(one << {"u": 6, "g": 3, "o": 0}[w] for w in (who if who and "a" not in who else "ugo"))
        elif letter == "t":
            bits |= 0o1000
        else:
            bits |= sum({"u": 0o4000, "g": 0o2000}[w] for w in (who or "ug") if w in "ug")
    if how == "+":
        return mode | bits
    if how == "-":
        return mode & ~bits
    cleared = sum(7 << {"u": 6, "g": 3, "o": 0}[w] for w in (who if who and "a" not in who else "ugo"))
    return (mode & ~cleared) | bits


def stat(context: Context) -> Result:
    """Print what `-c FORMAT` asks for (`%a %u %g %U %G %F %n %s %f %h %i %d %m`)."""
    options = read_options(context.args, "L|dereference f|file-system t|terse", "c|format printf")
    form = options.last("format") or options.last("printf") or "%n"
    end = "" if "printf" in options else "\n"
    out, errors = "", ""
    for target in options.rest:
        path = paths.normal(target)
        entry = context.node.entry(path)
        if entry is None:
            errors += f"stat: cannot statx '{target}': {paths.NO_ENTRY}\n"
            continue
        mount = context.node.covering(path)
        if "file-system" in options:
            fields = {"n": target, "T": mount.fstype if mount else "ext2/ext3", "t": "58465342" if mount else "ef53"}
        else:
            fields = {
                "a": f"{entry.mode:o}", "u": str(entry.uid), "g": str(entry.gid), "n": target,
                "U": name_of(entry.uid, USERS), "G": name_of(entry.gid, GROUPS), "s": str(len(entry.text)),
                "F": "directory" if entry.directory else "regular file", "h": "2", "i": str(id(entry) % 100000),
                "f": f"{entry.mode | (0o040000 if entry.directory else 0o100000):x}",
                "d": str(mount.number + 64768 if mount else 65024), "m": mount.point if mount else "/",
            }  # fmt: skip
        out += re.sub(r"%([a-zA-Z])", lambda m, known=fields: known.get(m[1], "?"), form) + end  # type: ignore[misc]
    return failed(1, errors, out) if errors else done(out)


def name_of(wanted: int, names: dict[str, int]) -> str:
    """Return the name of a user or group."""
    return next((name for name, value in names.items() if value == wanted), "UNKNOWN")


def ls(context: Context) -> Result:
    """List names, one a line; -d, -a, -A."""
    options = read_options(context.args, "d|directory a|all A|almost-all 1|one l|long n|numeric", "")
    out, errors = "", ""
    for target in options.rest or ["/root"]:
        entry = context.node.entry(paths.normal(target))
        if entry is None:
            device = context.node.device(target)
            if device is not None:
                out += f"{target}\n"
                continue
            errors += f"ls: cannot access '{target}': {paths.NO_ENTRY}\n"
        elif entry.directory and "directory" not in options:
            hidden = "all" in options or "almost-all" in options
            dots = [".", ".."] if "all" in options else []
            names = dots + sorted(name for name in entry.children if hidden or not name.startswith("."))
            out += f"{target}:\n" if len(options.rest) > 1 else ""
            out += "".join(f"{name}\n" for name in names)
        else:
            out += f"{target}\n"
    return failed(2, errors, out) if errors else done(out)


def cat(context: Context) -> Result:
    """Print files, or stdin."""
    out, errors = "", ""
    for target in context.args or ("-",):
        if target == "-":
            out += context.stdin
            continue
        try:
            out += paths.read_text(context.node, target)
        except KernelError as error:
            errors += f"cat: {target}: {error.text}\n"
    return failed(1, errors, out) if errors else done(out)


def touch(context: Context) -> Result:
    """Make files that are missing."""
    options = read_options(context.args, "c|no-create a m", "")

    def act(target: str) -> None:
        if context.node.entry(paths.normal(target)) is None and "no-create" not in options:
            paths.write_text(context.node, target, "")

    return each(context, options.rest, act, "{tool}: cannot touch '{target}': {error}\n")


def tee(context: Context) -> Result:
    """Write stdin to files, with -a to their ends."""
    options = read_options(context.args, "a|append", "")

    def act(target: str) -> None:
        paths.write_text(context.node, target, context.stdin, append="append" in options)

    if not options.rest:
        return done(context.stdin)
    result = each(context, options.rest, act, "{tool}: {target}: {error}\n")
    return Result(result.status, context.stdin, result.stderr)


def mv(context: Context) -> Result:
    """Rename a file."""
    return copy(context, move=True)


def cp(context: Context) -> Result:
    """Copy a file."""
    return copy(context, move=False)


def copy(context: Context, *, move: bool) -> Result:
    """Put a file's text elsewhere."""
    name = context.argv[0]
    options = read_options(context.args, "f|force p|preserve a|archive T|no-target-directory", "")
    if len(options.rest) != 2:
        return failed(1, f"{name}: missing file operand\n")
    source, target = options.rest
    verb = "cannot stat"
    try:
        text = paths.read_text(context.node, source)
        paths.write_text(context.node, target, text)
        if move:
            paths.remove_file(context.node, source)
    except KernelError as error:
        return failed(1, f"{name}: {verb} '{source}': {error.text}\n")
    return done()


def test(context: Context) -> Result:
    """Evaluate `[!] -e|-d|-f|-b|-s PATH`, `-n|-z TEXT`, and comparisons of two texts."""
    words = list(context.args)
    if context.argv[0] == "[" and words[-1:] == ["]"]:
        words.pop()
    negated = words[:1] == ["!"]
    words = words[1:] if negated else words
    match words:
        case [flag, target] if flag in {"-e", "-d", "-f", "-b", "-s", "-r", "-w", "-x"}:
            entry = context.node.entry(paths.normal(target))
            device = context.node.device(target) if target.startswith("/dev/") else None
            claim = {
                "-d": entry is not None and entry.directory,
                "-f": entry is not None and not entry.directory,
                "-b": device is not None,
                "-s": entry is not None and bool(entry.text or entry.directory),
            }.get(flag, entry is not None or device is not None)
        case ["-n", text] | [text]:
            claim = bool(text)
        case ["-z", text]:
            claim = not text
        case [left, ("=" | "=="), right]:
            claim = left == right
        case [left, "!=", right]:
            claim = left != right
        case _:
            return failed(2, f"{context.argv[0]}: unknown condition\n")
    return failed(int(claim == negated), "")


def echo(context: Context) -> Result:
    """Print its arguments."""
    words = context.args[1:] if context.args[:1] == ("-n",) else context.args
    return done(" ".join(words) + ("" if words is not context.args else "\n"))


def printf(context: Context) -> Result:
    r"""Print a format with `%s` and `\n`."""
    form, *values = context.args or ("",)
    text = form.replace("\\n", "\n").replace("\\t", "\t")
    if "%s" not in text:
        return done(text)
    count = text.count("%s")
    rows = [values[at : at + count] for at in range(0, len(values) or 1, count)]
    return done("".join(text.replace("%s", "{}").format(*(row + [""] * (count - len(row)))) for row in rows))


def sed(context: Context) -> Result:
    """Edit lines: `/re/d`, `s/re/text/g`, `/re/p`, `$a text`; with -i in place, a suffix keeping the former text."""
    suffix, quiet, scripts, rest = sed_arguments(list(context.args))
    commands = [sed_command(script) for script in scripts]
    if None in commands:
        return failed(1, f"sed: -e expression #1, char 1: unknown command: `{scripts[0][:1]}'\n")
    out = ""
    for target in rest or ["-"]:
        try:
            before = context.stdin if target == "-" else paths.read_text(context.node, target)
        except KernelError as error:
            return failed(2, f"sed: can't read {target}: {error.text}\n", out)
        after = before
        for command in commands:
            if command is not None:
                after = command(after, quiet)
        if suffix is None:
            out += after
            continue
        if suffix:
            paths.write_text(context.node, f"{target}{suffix}", before)
        paths.write_text(context.node, target, after)
    return done(out)


def sed_arguments(words: list[str]) -> tuple[str | None, bool, list[str], list[str]]:
    """Return the suffix of -i (None without), whether -n was given, the scripts, and the files."""
    suffix: str | None = None
    quiet = False
    scripts: list[str] = []
    rest: list[str] = []
    while words:
        word = words.pop(0)
        if word.startswith(("-i", "--in-place")):
            suffix = word.partition("=")[2] if word.startswith("--") else word[2:]
        elif word in {"-e", "--expression"}:
            scripts.append(words.pop(0))
        elif word in {"-n", "--quiet", "--silent"}:
            quiet = True
        elif word not in {"-E", "-r", "-s", "-z", "--"}:
            rest.append(word)
    return (suffix, quiet, scripts, rest) if scripts else (suffix, quiet, rest[:1], rest[1:])


Edit = Callable[[str, bool], str]


def sed_command(script: str) -> Edit | None:
    """Return what a script does to a text; None if we do not understand it."""
    script = script.strip()
    if found := re.fullmatch(r"(?:/((?:[^/\\]|\\.)*)/|\\(.)(.*)\2)\s*([dp])", script, re.DOTALL):
        slashed, delimiter, other, verb = found.groups()
        pattern = re.compile(basic_regex(slashed if slashed is not None else other, delimiter or "/"))

        def edit(text: str, quiet: bool) -> str:
            lines = text.splitlines(keepends=True)
            if verb == "d":
                return "".join(line for line in lines if not pattern.search(line.rstrip("\n")))
            return "".join(line * ((not quiet) + bool(pattern.search(line.rstrip("\n")))) for line in lines)

        return edit
    if script.startswith("s") and len(script) > 1:
        delimiter = script[1]
        fields = re.split(rf"(?<!\\){re.escape(delimiter)}", script[2:])
        if len(fields) == 3:
            pattern = re.compile(basic_regex(fields[0], delimiter))
            count = 0 if "g" in fields[2] else 1
            text_of = fields[1].replace(f"\\{delimiter}", delimiter)
            return lambda text, _: "".join(
                pattern.sub(text_of, line, count=count) for line in text.splitlines(keepends=True)
            )
    if found := re.fullmatch(r"\$\s*a\s*\\?\s*(.*)", script, re.DOTALL):
        added = f"{found[1]}\n" if found[1] else ""
        return lambda text, _: text and (text if text.endswith("\n") else f"{text}\n") + added
    return None


def basic_regex(pattern: str, delimiter: str) -> str:
    """Return a POSIX basic regular expression as one of ours."""
    pattern = pattern.replace(f"\\{delimiter}", delimiter)
    swapped = re.sub(r"\\([+?|(){}])|([+?|(){}])", lambda m: m[1] or f"\\{m[2]}", pattern)
    return swapped.replace("[[:space:]]", r"\s")


def awk(context: Context) -> Result:
    """Run programs of the form `BEGIN {print … >> file}`; -v sets variables."""
    variables: dict[str, str] = {}
    words = list(context.args)
    while words and words[0] in {"-v", "--"}:
        if words.pop(0) == "-v":
            name, _, value = words.pop(0).partition("=")
            variables[name] = value
    program = words[0] if words else ""
    found = re.fullmatch(r'\s*BEGIN\s*\{\s*print\s+(.*?)(?:\s*(>>?)\s*("(?:[^"\\]|\\.)*"|\w+))?\s*;?\s*\}\s*', program)
    if not found:
        return failed(2, f"awk: line 1: syntax error at or near {program[:20]}\n")

    def value_of(token: str) -> str:
        if token.startswith('"'):
            return token[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        return variables.get(token, "")

    pieces = re.findall(r'"(?:[^"\\]|\\.)*"|\w+|,', found[1])
    text = "".join(" " if piece == "," else value_of(piece) for piece in pieces) + "\n"
    if not found[2]:
        return done(text)
    target = value_of(found[3])
    try:
        paths.write_text(context.node, target, text, append=found[2] == ">>")
    except KernelError as error:
        return failed(2, f'awk: cannot open "{target}" for output ({error.text})\n')
    return done()


def grep(context: Context) -> Result:
    """Find lines; -F, -x, -v, -q, -c, -n, -s, -e."""
    options = read_options(
        context.args,
        "F|fixed-strings x|line-regexp v|invert-match q|quiet c|count n|line-number s|no-messages h|no-filename "
        "E|extended-regexp w|word-regexp",
        "e|regexp",
    )
    rest = list(options.rest)
    pattern = options.last("regexp") if "regexp" in options else rest.pop(0)
    if "fixed-strings" in options:
        pattern = re.escape(pattern)
    elif "extended-regexp" not in options:
        pattern = basic_regex(pattern, "/")
    if "word-regexp" in options:
        pattern = rf"\b(?:{pattern})\b"
    compiled = re.compile(f"^(?:{pattern})$" if "line-regexp" in options else pattern)
    found: list[str] = []
    errors = ""
    for target in rest or ["-"]:
        try:
            text = context.stdin if target == "-" else paths.read_text(context.node, target)
        except KernelError as error:
            errors += "" if "no-messages" in options else f"grep: {target}: {error.text}\n"
            continue
        found += [
            f"{at}:{line}" if "line-number" in options else line
            for at, line in enumerate(text.splitlines(), start=1)
            if bool(compiled.search(line)) != ("invert-match" in options)
        ]
    out = "" if "quiet" in options else "".join(f"{line}\n" for line in found)
    if "count" in options:
        out = f"{len(found)}\n"
    return Result(2 if errors else int(not found), out, errors)


def setfattr(context: Context) -> Result:
    """Set or remove an extended attribute."""
    options = read_options(context.args, "h|no-dereference", "n|name v|value x|remove")

    def act(target: str) -> None:
        entry = context.node.entry(paths.normal(target))
        if entry is None:
            raise KernelError(paths.NO_ENTRY)
        if "remove" in options:
            unwanted = options.last("remove")
            if unwanted not in entry.xattrs:
                raise KernelError("No such attribute")
            entry.xattrs = {name: value for name, value in entry.xattrs.items() if name != unwanted}
        else:
            entry.mark(options.last("name"), options.last("value"))

    return each(context, options.rest, act, "{tool}: {target}: {error}\n")


def getfattr(context: Context) -> Result:
    """Print extended attributes: -n NAME, -d -m -, --only-values, --absolute-names."""
    options = read_options(
        context.args, "d|dump only-values absolute-names h|no-dereference", "n|name m|match e|encoding"
    )
    out, errors = "", ""
    for target in options.rest:
        entry = context.node.entry(paths.normal(target))
        if entry is None:
            errors += f"getfattr: {target}: {paths.NO_ENTRY}\n"
            continue
        wanted = [options.last("name")] if "name" in options else sorted(entry.xattrs)
        lines = []
        for name in wanted:
            if name not in entry.xattrs:
                errors += f"{target}: {name}: No such attribute\n"
            elif "only-values" in options:
                out += entry.xattrs[name]
            else:
                value = entry.xattrs[name]
                lines.append(f"{name}={value}" if value.startswith("0x") else f'{name}="{value}"')
        if lines:
            shown = target if "absolute-names" in options else target.lstrip("/")
            out += f"# file: {shown}\n" + "".join(f"{line}\n" for line in lines) + "\n"
    return failed(1, errors, out) if errors else done(out)


def readlink(context: Context) -> Result:
    """Print a path without links: the disk behind a name in /dev."""
    options = read_options(
        context.args, "f|canonicalize e|canonicalize-existing m|canonicalize-missing n|no-newline", ""
    )
    out = ""
    for target in options.rest:
        disk = context.disk(target) if target.startswith("/dev/") else None
        known = disk is not None or context.node.entry(paths.normal(target)) is not None
        if "canonicalize-existing" in options and not known:
            return failed(1, "", out)
        out += f"{disk.path if disk else paths.normal(target)}\n"
    return done(out)


def quiet_success(_: Context) -> Result:
    """Do nothing: sync, true, udevadm settle."""
    return done()


def quiet_failure(_: Context) -> Result:
    """Fail: false."""
    return failed(1, "")


def lsof(context: Context) -> Result:
    """Say that nothing is open."""
    return failed(1, "") if context.args else done()


def guarded(tool: Tool) -> Tool:
    """Let a tool answer an option that it does not know as coreutils do."""

    def run(context: Context) -> Result:
        try:
            return tool(context)
        except BadOption as error:
            return usage(context, error)

    return run


TOOLS: dict[str, Tool] = {
    name: guarded(tool)
    for name, tool in {
        "[": test, "awk": awk, "cat": cat, "chgrp": chown, "chmod": chmod, "chown": chown, "cp": cp, "echo": echo,
        "false": quiet_failure, "getfattr": getfattr, "grep": grep, "ls": ls, "lsof": lsof, "mkdir": mkdir, "mv": mv,
        "printf": printf, "readlink": readlink, "realpath": readlink, "rm": rm, "rmdir": rmdir, "sed": sed,
        "setfattr": setfattr, "stat": stat, "sync": quiet_success, "tee": tee, "test": test, "touch": touch,
        "true": quiet_success,
    }.items()
}  # fmt: skip
