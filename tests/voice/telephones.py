"""Telephones and trunks from other hands, each with its own folder and ports, ended by its pid."""

import pathlib
import socket
import subprocess
import time
import wave


def free_port(kind=socket.SOCK_DGRAM):
    """A port that nobody uses; for datagrams an even one with a free one after it, as sound wants it."""
    for _ in range(200):
        with socket.socket(socket.AF_INET, kind) as one, socket.socket(socket.AF_INET, kind) as other:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            if kind == socket.SOCK_STREAM:
                return port
            try:
                other.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            if port % 2 == 0:
                return port
    raise AssertionError("no free port")


def wait_until(condition, seconds, what):
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


class Baresip:
    """A telephone that answers by itself and records what it hears."""

    def __init__(self, folder, codecs="PCMU", user="+447700900123", server_pem=None, extra=""):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port, media = free_port(), free_port()
        silence = self.folder / "silence.wav"
        with wave.open(str(silence), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(bytes(2 * 8000 * 90))
        transport = "tls" if server_pem else ""
        (self.folder / "config").write_text(
            f"""
sip_listen 127.0.0.1:{self.port}
{f'sip_certificate {server_pem}' if server_pem else ''}
net_interface 127.0.0.1
rtp_ports {media}-{media + 2}
audio_source aufile,{silence}
audio_player aufile,{self.folder}/player.wav
audio_alert aufile,{silence}
audio_srate 8000-8000
audio_channels 1
module_path /usr/lib/baresip/modules
module stdio.so
module g711.so
module aufile.so
module sndfile.so
module_app account.so
module_app menu.so
snd_path {self.folder}
ring_aufile none
{extra}
"""
        )
        (self.folder / "accounts").write_text(
            f"<sip:{user}@127.0.0.1:{self.port}{f';transport={transport}' if transport else ''}>"
            f";regint=0;answermode=auto;audio_codecs={codecs}\n"
        )
        self.log = open(self.folder / "log", "w", encoding="utf-8")
        self.process = subprocess.Popen(
            ["baresip", "-4", "-f", str(self.folder)],
            stdin=subprocess.PIPE, stdout=self.log, stderr=subprocess.STDOUT, cwd=self.folder,
        )
        wait_until(lambda: "baresip is ready" in (self.folder / "log").read_text(errors="replace"), 10, "baresip")

    def told(self):
        """What it printed."""
        return (self.folder / "log").read_text(errors="replace")

    def heard(self):
        """The path of the recording of the last call."""
        found = sorted(self.folder.glob("dump-*-dec.wav"), key=lambda path: path.stat().st_mtime)
        assert found, (self.folder / "log").read_text(errors="replace")[-3000:]
        return found[-1]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdin.close()
        self.log.close()


class Sipp:
    """A trunk that plays a scenario for so many calls, and fails if anything else comes."""

    def __init__(self, folder, scenario, calls=1, transport="u1", **words):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        text = scenario.read_text()
        for name, value in words.items():
            text = text.replace(f"[{name}]", str(value))
        scenario = self.folder / "scenario.xml"
        scenario.write_text(text)
        kind = socket.SOCK_DGRAM if transport.startswith("u") else socket.SOCK_STREAM
        self.port, media = free_port(kind), free_port()
        self.log = open(self.folder / "sipp.out", "w", encoding="utf-8")
        self.process = subprocess.Popen(
            ["sipp", "-sf", str(scenario), "-i", "127.0.0.1", "-p", str(self.port), "-mp", str(media),
             "-t", transport, "-m", str(calls), "-nostdin", "-trace_err", "-trace_msg", "-message_file",
             str(self.folder / "messages"), "-error_file", str(self.folder / "errors"),
             "-timeout", "60", "-timeout_error"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, cwd=self.folder,
        )
        time.sleep(0.4)
        assert self.process.poll() is None, (self.folder / "sipp.out").read_text()

    def played_to_the_end(self):
        """Waits for the scenario; whether every call followed it."""
        code = self.process.wait(timeout=65)
        return code == 0

    def messages(self):
        path = self.folder / "messages"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=10)
        self.log.close()
