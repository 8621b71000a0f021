# SPDX-License-Identifier: MIT
"""Every flag of Docker is accepted, or refused by name."""

from __future__ import annotations

import pathlib
import re

import click
import pytest

from sandbox.cli.commands import cli
from sandbox.cli.lazy_group import plain_flags
from sandbox.cli.main import main
from sandbox.cli.unsupported_flags import REFUSED, reason_against
from sandbox.models.idle_settings import ON_CREATE, ON_UPDATE, SHARES

# The flags in `docker VERB --help`, version 28.2.
DOCKER: dict[str, str] = {
    "create": (
        "--add-host --annotation -a,--attach --blkio-weight --blkio-weight-device "
        "--cap-add --cap-drop --cgroup-parent --cgroupns --cidfile --cpu-count "
        "--cpu-percent --cpu-period --cpu-quota --cpu-rt-period --cpu-rt-runtime "
        "-c,--cpu-shares --cpus --cpuset-cpus --cpuset-mems --device --device-cgroup-rule "
        "--device-read-bps --device-read-iops --device-write-bps --device-write-iops "
        "--disable-content-trust --dns --dns-option --dns-search --domainname "
        "--entrypoint -e,--env --env-file --expose --gpus --group-add --health-cmd "
        "--health-interval --health-retries --health-start-interval --health-start-period "
        "--health-timeout -h,--hostname --init -i,--interactive --io-maxbandwidth "
        "--io-maxiops --ip --ip6 --ipc --isolation --kernel-memory -l,--label "
        "--label-file --link --link-local-ip --log-driver --log-opt --mac-address "
        "-m,--memory --memory-reservation --memory-swap --memory-swappiness --mount "
        "--name --network --network-alias --no-healthcheck --oom-kill-disable "
        "--oom-score-adj --pid --pids-limit --platform --privileged -p,--publish "
        "-P,--publish-all --pull -q,--quiet --read-only --restart --rm --runtime "
        "--security-opt --shm-size --stop-signal --stop-timeout --storage-opt --sysctl "
        "--tmpfs -t,--tty --ulimit --use-api-socket -u,--user --userns --uts -v,--volume "
        "--volume-driver --volumes-from -w,--workdir"
    ),
    "start": ("-a,--attach --checkpoint --checkpoint-dir --detach-keys -i,--interactive"),
    "run": (
        "--add-host --annotation -a,--attach --blkio-weight --blkio-weight-device "
        "--cap-add --cap-drop --cgroup-parent --cgroupns --cidfile --cpu-count "
        "--cpu-percent --cpu-period --cpu-quota --cpu-rt-period --cpu-rt-runtime "
        "-c,--cpu-shares --cpus --cpuset-cpus --cpuset-mems -d,--detach --detach-keys "
        "--device --device-cgroup-rule --device-read-bps --device-read-iops "
        "--device-write-bps --device-write-iops --disable-content-trust --dns "
        "--dns-option --dns-search --domainname --entrypoint -e,--env --env-file --expose "
        "--gpus --group-add --health-cmd --health-interval --health-retries "
        "--health-start-interval --health-start-period --health-timeout -h,--hostname "
        "--init -i,--interactive --io-maxbandwidth --io-maxiops --ip --ip6 --ipc "
        "--isolation --kernel-memory -l,--label --label-file --link --link-local-ip "
        "--log-driver --log-opt --mac-address -m,--memory --memory-reservation "
        "--memory-swap --memory-swappiness --mount --name --network --network-alias "
        "--no-healthcheck --oom-kill-disable --oom-score-adj --pid --pids-limit "
        "--platform --privileged -p,--publish -P,--publish-all --pull -q,--quiet "
        "--read-only --restart --rm --runtime --security-opt --shm-size --sig-proxy "
        "--stop-signal --stop-timeout --storage-opt --sysctl --tmpfs -t,--tty --ulimit "
        "--use-api-socket -u,--user --userns --uts -v,--volume --volume-driver "
        "--volumes-from -w,--workdir"
    ),
    "stop": "-s,--signal -t,--timeout",
    "restart": "-s,--signal -t,--timeout",
    "kill": "-s,--signal",
    "pause": "",
    "unpause": "",
    "wait": "",
    "rm": "-f,--force -l,--link -v,--volumes",
    "rename": "",
    "update": (
        "--blkio-weight --cpu-period --cpu-quota --cpu-rt-period --cpu-rt-runtime "
        "-c,--cpu-shares --cpus --cpuset-cpus --cpuset-mems -m,--memory "
        "--memory-reservation --memory-swap --pids-limit --restart"
    ),
    "attach": "--detach-keys --no-stdin --sig-proxy",
    "logs": ("--details -f,--follow --since -n,--tail -t,--timestamps --until"),
    "exec": (
        "-d,--detach --detach-keys -e,--env --env-file -i,--interactive --privileged "
        "-t,--tty -u,--user -w,--workdir"
    ),
    "ps": ("-a,--all -f,--filter --format -n,--last -l,--latest --no-trunc -q,--quiet -s,--size"),
    "top": "",
    "stats": "-a,--all --format --no-stream --no-trunc",
    "inspect": "-f,--format -s,--size --type",
    "port": "",
    "events": "-f,--filter --format --since --until",
    "cp": "-a,--archive -L,--follow-link -q,--quiet",
    "diff": "",
    "commit": "-a,--author -c,--change -m,--message -p,--pause",
    "export": "-o,--output",
    "images": "-a,--all --digests -f,--filter --format --no-trunc -q,--quiet --tree",
    "history": "--format -H,--human --no-trunc --platform -q,--quiet",
    "rmi": "-f,--force --no-prune --platform",
    "tag": "",
    "pull": "-a,--all-tags --disable-content-trust --platform -q,--quiet",
    "push": "-a,--all-tags --disable-content-trust --platform -q,--quiet",
    "save": "-o,--output --platform",
    "load": "-i,--input --platform -q,--quiet",
    "import": "-c,--change -m,--message --platform",
    "search": "-f,--filter --format --limit --no-trunc",
    "login": "-p,--password --password-stdin -u,--username",
    "logout": "",
    "image inspect": "-f,--format --platform",
    "image prune": "-a,--all --filter -f,--force",
    "builder prune": "-a,--all --filter -f,--force --keep-storage",
    "manifest annotate": "--arch --os --os-features --os-version --variant",
    "manifest create": "-a,--amend --insecure",
    "manifest inspect": "--insecure -v,--verbose",
    "manifest push": "--insecure -p,--purge",
    "manifest rm": "",
    # The flags of both builders: the classic one and buildx.
    "build": (
        "--add-host --build-arg --cache-from --cgroup-parent --compress --cpu-period --cpu-quota "
        "-c,--cpu-shares --cpuset-cpus --cpuset-mems --disable-content-trust -f,--file --force-rm "
        "--iidfile --isolation --label -m,--memory --memory-swap --network --no-cache --platform "
        "--pull -q,--quiet --rm --security-opt --shm-size --squash -t,--tag --target --ulimit "
        "--allow --annotation --attest --build-context --builder --cache-to --call --check "
        "-D,--debug --load --metadata-file --no-cache-filter -o,--output --progress --provenance "
        "--push --sbom --secret --ssh"
    ),
    "info": "-f,--format",
    "version": "-f,--format",
    "container ls": (
        "-a,--all -f,--filter --format -n,--last -l,--latest --no-trunc -q,--quiet -s,--size"
    ),
    "container prune": "--filter -f,--force",
    "container inspect": "-f,--format -s,--size",
    "volume create": (
        "--availability -d,--driver --group --label --limit-bytes -o,--opt "
        "--required-bytes --scope --secret --sharing --topology-preferred "
        "--topology-required --type"
    ),
    "volume inspect": "-f,--format",
    "volume ls": "--cluster -f,--filter --format -q,--quiet",
    "volume prune": "-a,--all --filter -f,--force",
    "volume rm": "-f,--force",
    "network connect": ("--alias --driver-opt --gw-priority --ip --ip6 --link --link-local-ip"),
    "network create": (
        "--attachable --aux-address --config-from --config-only -d,--driver --gateway "
        "--ingress --internal --ip-range --ipam-driver --ipam-opt --ipv4 --ipv6 --label "
        "-o,--opt --scope --subnet"
    ),
    "network disconnect": "-f,--force",
    "network inspect": "-f,--format -v,--verbose",
    "network ls": "-f,--filter --format --no-trunc -q,--quiet",
    "network prune": "--filter -f,--force",
    "network rm": "-f,--force",
    "system df": "--format -v,--verbose",
    "system events": "-f,--filter --format --since --until",
    "system info": "-f,--format",
    "system prune": "-a,--all --filter -f,--force --volumes",
}


def command_of(verb: str) -> click.Command:
    """Return the command for *verb*."""
    found: click.Command | None = cli
    for word in verb.split():
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), word)
    assert found is not None, f"there is no {verb}"
    return found


def options_of(verb: str) -> set[str]:
    """Return all options of a command."""
    params = command_of(verb).params
    return {name for item in params if isinstance(item, click.Option) for name in item.opts}


@pytest.mark.parametrize("verb", DOCKER)
def test_a_flag_of_docker_is_accepted_or_refused_with_a_reason(verb: str) -> None:
    accepted = options_of(verb)
    for flag in DOCKER[verb].split():
        for name in flag.split(","):
            refused = reason_against(verb, name) is not None
            assert (name in accepted) != refused, f"{verb} {name}"


@pytest.mark.parametrize("verb", REFUSED)
def test_flags_refused_with_a_reason_exist_in_docker(verb: str) -> None:
    known = DOCKER["run" if verb == "trace" else verb].replace(",", " ").split()
    for name, reason in REFUSED[verb].items():
        assert name in known
        assert reason
        assert "\n" not in reason
        assert name not in options_of(verb)


@pytest.fixture(autouse=True)
def _store(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_ROOT", str(tmp_path / "store"))


@pytest.mark.parametrize(
    ("arguments", "code", "name"),
    [
        (["run", "--gpus", "all", "host"], 125, "--gpus"),
        (["run", "--rm", "--pid=host", "host"], 125, "--pid"),
        (["container", "run", "--ip6=::1", "host"], 125, "--ip6"),
        (["container", "run", "--userns=keep-id", "host"], 125, "--userns=keep-id"),
        (["create", "--cgroup-parent", "5", "host"], 125, "--cgroup-parent"),
        (["volume", "create", "-o", "type=tmpfs"], 125, "-o"),
        (["network", "create", "--ipv6", "x"], 125, "--ipv6"),
        (["network", "connect", "--gw-priority", "1", "x", "y"], 125, "--gw-priority"),
        (["image", "rm", "--platform", "linux/amd64", "x"], 125, "--platform"),
        (["image", "inspect", "--platform", "linux/amd64", "x"], 125, "--platform"),
        (["image", "build", "--cgroup-parent", "x", "."], 125, "--cgroup-parent"),
        (["builder", "build", "--builder", "x", "."], 125, "--builder"),
        (["manifest", "push", "--insecure", "x"], 125, "--insecure"),
    ],
)
def test_a_refused_flag_is_named_in_one_line_with_docker_s_exit_code(
    arguments: list[str], code: int, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    [line] = capfd.readouterr().err.splitlines()
    assert line.startswith(f"sandbox: {name} is not supported: ")


def test_an_unknown_verb_is_named_with_its_group(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["volume", "update", "x"]) == 1
    assert capfd.readouterr().err.startswith("sandbox: unknown command: sandbox volume update")


def test_container_run_has_the_exit_codes_of_run(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["container", "run", "--pull", "never", "nope"]) == 125
    assert main(["container", "rm", "nope"]) == 1
    assert main(["network", "create", "--subnet", "x", "nn"]) == 1
    assert capfd.readouterr().err


def test_a_flag_refused_by_one_verb_is_unknown_to_another(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["ps", "--gpus", "all"]) == 125
    assert capfd.readouterr().err.startswith("sandbox: unknown flag: --gpus")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create", "--volume-driver", "nfs", "host"], "plugin nfs: plugin not found"),
        (["create", "-a", "stdlog", "host"], "valid streams are"),
        (["create", "--annotation", "x", "host"], "invalid annotation"),
        (["create", "--cpus", "1", "--cpu-quota", "5000", "host"], "conflicting options"),
        (["create", "--cpu-period", "10", "host"], "cfs period"),
        (["create", "-m", "6291455", "host"], "Minimum memory limit allowed is 6MB"),
        (["create", "--cpu-quota", "10", "host"], "cfs quota"),
        (["create", "--cpu-quota", "900000000", "host"], "range of CPUs"),
        (["create", "--label-file", "/no/such", "host"], "cannot read /no/such"),
        (["create", "--shm-size", "much", "host"], "much"),
        (["update", "--cpu-period", "1000", "x"], "needs --cpu-quota"),
        (["network", "create", "--ipv4=false", "x"], "--ipv4=false is not supported"),
        (["run", "--disable-content-trust=false", "host"], "no signature is checked"),
    ],
)
def test_a_bad_value_of_a_flag_gives_one_clear_line(
    arguments: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) in (1, 125)
    assert message in capfd.readouterr().err


@pytest.mark.parametrize(
    ("verb", "given", "plain"),
    [
        ("run", ["--rm=true", "x", "--rm=false"], ["--rm", "x", "--rm=false"]),
        ("run", ["--rm=false", "--init=1", "x"], ["--init", "x"]),
        ("run", ["--rm", "--rm=0", "x"], ["x"]),
        ("run", ["--sig-proxy=false", "x"], ["--no-sig-proxy", "x"]),
        ("run", ["--sig-proxy=F", "--sig-proxy", "x"], ["--sig-proxy", "x"]),
        ("run", ["--name", "--rm=true", "x"], ["--name", "--rm=true", "x"]),
        ("run", ["--name", "--rm", "--rm=false", "x"], ["--name", "--rm", "x"]),
        (
            "run",
            ["-ite", "--rm=true", "x"],
            ["--interactive", "--tty", "-e", "--rm=true", "x"],
        ),
        ("run", ["-it=false", "x"], ["--interactive", "x"]),
        ("run", ["-it", "--tty=false", "x"], ["--interactive", "x"]),
        ("run", ["-t=0", "-t", "x", "-t=0"], ["--tty", "x", "-t=0"]),
        ("run", ["-d=T", "-p=80:80", "-e=A=b", "x"], ["--detach", "-p80:80", "-eA=b", "x"]),
        ("run", ["-izq", "x"], None),
        ("run", ["-", "x"], None),
        ("ps", ["-n=3", "-a=TRUE"], ["-n3", "--all"]),
        ("history", ["-H=false", "x"], ["--no-human", "x"]),
        ("run", ["-eA", "--rm=true", "x"], ["-eA", "--rm", "x"]),
        ("run", ["--", "--rm=true"], ["--", "--rm=true"]),
        ("run", ["--name"], ["--name"]),
        ("exec", ["-e", "A=true", "x", "tool", "--tty=true"], None),
        ("exec", ["--tty=true", "--", "x", "tool"], ["--tty", "--", "x", "tool"]),
        ("commit", ["x", "--pause=false"], ["x"]),
    ],
)
def test_a_flag_accepts_true_and_false_as_in_docker(
    verb: str, given: list[str], plain: list[str] | None
) -> None:
    assert plain_flags(command_of(verb), given) == (given if plain is None else plain)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["run", "--rm=maybe", "host"],
            125,
            'invalid argument "maybe" for "--rm" flag: strconv.ParseBool: parsing "maybe": '
            "invalid syntax",
        ),
        (
            ["exec", "-it=x", "c", "true"],
            125,
            'invalid argument "x" for "-t, --tty" flag: strconv.ParseBool: parsing "x": '
            "invalid syntax",
        ),
        (
            ["ps", "-n", "x"],
            125,
            'invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": '
            "invalid syntax",
        ),
        (["run", "--name"], 125, "flag needs an argument: --name"),
        (["ps", "-f"], 125, "flag needs an argument: 'f' in -f"),
        (["ps", "--nope"], 125, "unknown flag: --nope"),
        (["rmi", "-z", "x"], 125, "unknown shorthand flag: 'z' in -z"),
        (["run"], 1, "'sandbox run' requires at least 1 argument"),
        (["tag", "a"], 1, "'sandbox tag' requires 2 arguments"),
        (["images", "a", "b"], 1, "'sandbox images' requires at most 1 argument"),
        (["info", "x"], 1, "'sandbox info' accepts no arguments"),
        (["volume", "rm"], 1, "'sandbox volume rm' requires at least 1 argument"),
    ],
)
def test_a_usage_error_has_docker_s_message_and_exit_code(
    arguments: list[str], code: int, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    assert capfd.readouterr().err.startswith(f"sandbox: {message}\n")


@pytest.mark.parametrize(
    ("group", "verbs"),
    [
        ("image", "build history import load pull push save tag ls=images rm=rmi"),
        ("builder", "build"),
        (
            "container",
            "attach commit cp create diff exec export kill logs pause port rename restart rm run "
            "start stats stop top unpause update wait ls=ps",
        ),
        ("system", "events info"),
    ],
)
def test_a_verb_is_the_same_in_its_group(group: str, verbs: str) -> None:
    for text in verbs.split():
        inner, _, outer = text.partition("=")
        assert command_of(f"{group} {inner}") is command_of(outer or inner)


def _leaves(group: click.Group, path: str = "") -> list[tuple[str, click.Command]]:
    found: list[tuple[str, click.Command]] = []
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        words = f"{path} {name}".strip()
        is_group = isinstance(command, click.Group)
        found += _leaves(command, words) if is_group else [(words, command)]
    return found


assert isinstance(cli, click.Group)
LEAVES = [item for item in _leaves(cli) if item[0] != "docker"]


@pytest.mark.parametrize(("verb", "command"), LEAVES, ids=[verb for verb, _ in LEAVES])
def test_all_help_texts_have_the_same_form(
    verb: str,
    command: click.Command,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            text = option.help or ""
            assert re.fullmatch(r"[A-Z0-9'].*\.", text), f"{option.opts}: {text}"
            named = option.is_flag or option.metavar or isinstance(option.type, click.Choice)
            assert named, f"{option.opts} shows a value without a name"
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*verb.split(), "--help"]) == 0
    shown = capfd.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    options = re.findall(r"^  (?:-\w, )?--([\w-]+)", shown, re.MULTILINE)
    options = [name for name in options if name != "help"]
    assert options == sorted(options)


def test_labels_are_read_from_files_and_the_command_line_wins(
    tmp_path: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "labels"
    file.write_text("# no label\na=file\nb\n", encoding="utf-8")
    words = ["--label-file", str(file), "-l", "c=3", "--annotation", "n=1", "--shm-size", "1m"]
    words += ["--group-add", "7", "--cpu-quota", "50000", "-a", "stderr", "--name", "xx"]
    assert main(["create", *words, "--disable-content-trust", "host"]) == 0
    assert "the size of /dev/shm is not limited" in capfd.readouterr().err
    template = "{{json .Config.Labels}} {{json .HostConfig.Annotations}} {{.HostConfig.ShmSize}}"
    template += " {{.HostConfig.NanoCpus}} {{.HostConfig.GroupAdd}}"
    template += " {{.Config.AttachStdout}} {{.Config.AttachStderr}}"
    assert main(["inspect", "-f", template, "xx"]) == 0
    text = '{"a":"file","b":"","c":"3"} {"n":"1"} 1048576 500000000 [7] false true'
    assert capfd.readouterr().out.strip() == text


def test_inspect_finds_a_volume_by_its_name(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["volume", "create", "data"]) == 0
    assert main(["inspect", "-f", "{{.Name}} {{.Driver}}", "data"]) == 0
    assert main(["inspect", "--type", "volume", "nope"]) == 1
    assert main(["inspect", "no/pe:x"]) == 1
    output = capfd.readouterr()
    assert "data local" in output.out
    assert "no such object: no/pe:x" in output.err


def test_what_has_no_effect_is_in_the_table_of_differences() -> None:
    text = pathlib.Path(__file__).parents[3].joinpath("docs/docker-compat.md").read_text()
    table = text.partition("## Taken without effect")[2].partition("\n## ")[0]
    refused = text.partition("## Refused")[2].partition("\n## ")[0]
    for item in (SHARES, *ON_CREATE):
        assert f"`{item.flag}`" in table, item.flag
        assert f"`{item.flag}`" not in refused, item.flag
        for verb in ("run", "create"):
            assert item.flag in options_of(verb)
    for item in (SHARES, *ON_UPDATE):
        assert item.flag in options_of("update")


def test_each_flag_without_effect_leaves_one_line(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"rates": "/dev/x:1", "sizes": "/dev/x:1k", "pairs": "a=b", "number": "7"}
    words: list[str] = []
    for item in (SHARES, *ON_CREATE):
        value = values.get(item.kind, "1g")
        words += [item.flag] if item.kind == "switch" else [item.flag, value]
    assert main(["create", *words, "--pull", "never", "nope"]) == 125
    *lines, _ = capfd.readouterr().err.splitlines()
    assert lines == [f"sandbox: warning: {item.warning}" for item in (SHARES, *ON_CREATE)]
    assert main(["create", "-q", *words, "--pull", "never", "nope"]) == 125
    monkeypatch.setenv("SANDBOX_NO_WARNINGS", "1")
    assert main(["create", *words, "--pull", "never", "nope"]) == 125
    assert len(capfd.readouterr().err.splitlines()) == 2
    assert main(["create", "--cpu-shares", "many", "nope"]) == 125
    assert 'invalid argument "many" for "--cpu-shares" flag' in capfd.readouterr().err
