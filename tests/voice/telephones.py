"""Telephones and trunks from other hands, each with its own folder and ports, ended by its pid."""

import pathlib
import socket
import subprocess
import sys
import time
import wave

import ear

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from ports import free_port, is_bound  # noqa: E402

# Longer than anything takes, also where the machine is busy with other things.
PATIENCE = 240


def wait_until(condition, what, seconds=PATIENCE):
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


def end(process):
    """Asks a program to end, and sees to it that it has."""
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


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
        wait_until(lambda: "baresip is ready" in self.told(), "baresip")

    def told(self):
        """What it printed."""
        return (self.folder / "log").read_text(errors="replace")

    def heard(self):
        """What was recorded of its only call, once that is over and the recording written to the end."""
        try:
            wait_until(lambda: "terminated" in self.told(), "the end of the call")
            # The recording is complete once its header says how long it is.
            return wait_until(self.recorded, "the recording")
        except AssertionError:
            raise AssertionError(self.told()[-3000:]) from None

    def recorded(self):
        for path in self.folder.glob("dump-*-dec.wav"):
            try:
                samples = ear.read_wav(path)
            except (EOFError, wave.Error):
                continue
            if len(samples) > 8000:
                return samples
        return None

    def stop(self):
        end(self.process)
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
        self.port, media = free_port(), free_port()
        self.log = open(self.folder / "sipp.out", "w", encoding="utf-8")
        self.process = subprocess.Popen(
            ["sipp", "-sf", str(scenario), "-i", "127.0.0.1", "-p", str(self.port), "-mp", str(media),
             "-t", transport, "-m", str(calls), "-nostdin", "-trace_err", "-trace_msg", "-message_file",
             str(self.folder / "messages"), "-error_file", str(self.folder / "errors"),
             "-timeout", str(PATIENCE), "-timeout_error"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, cwd=self.folder,
        )
        wait_until(lambda: is_bound(self.port, kind) or self.process.poll() is not None, "sipp")
        assert self.process.poll() is None, (self.folder / "sipp.out").read_text()

    def played_to_the_end(self):
        """Waits for the scenario; whether every call followed it."""
        return self.process.wait(timeout=PATIENCE + 30) == 0

    def messages(self):
        path = self.folder / "messages"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self):
        end(self.process)
        self.log.close()
