"""A registrar and proxy with passwords, as trunks have one: Kamailio in front of one telephone."""

import os
import pathlib
import signal
import socket
import subprocess

import telephones

CONFIG = """
debug=2
log_stderror=yes
fork=no
children=1
auto_aliases=no
listen=udp:127.0.0.1:{port}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "siputils.so"
loadmodule "textops.so"
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", {expires})

request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    if (has_totag()) {{
        if (loose_route() || (is_method("ACK") && t_check_trans())) {{ t_relay(); exit; }}
        sl_send_reply("404", "Not here"); exit;
    }}
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("trunk.example", "{password}", "0")) {{ www_challenge("trunk.example", "1"); exit; }}
        save("location");
        exit;
    }}
    if (!is_method("INVITE")) {{ sl_send_reply("405", "Not here"); exit; }}
    if (!pv_proxy_authenticate("trunk.example", "{password}", "0")) {{ proxy_challenge("trunk.example", "1"); exit; }}
    consume_credentials();
    if (!registered("location", "sip:rollcall@127.0.0.1")) {{ sl_send_reply("403", "Register first"); exit; }}
    record_route();
    $ru = "sip:" + $rU + "@127.0.0.1:{telephone}";
    t_relay();
}}
"""


class Kamailio:
    def __init__(self, folder, telephone, password="secret", expires=300):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = telephones.free_port()
        config = self.folder / "kamailio.cfg"
        config.write_text(CONFIG.format(port=self.port, telephone=telephone, password=password, expires=expires))
        self.log = open(self.folder / "log", "w", encoding="utf-8")
        self.process = subprocess.Popen(
            ["kamailio", "-f", str(config), "-DD", "-E", "-Y", str(self.folder), "-w", str(self.folder),
             "-P", str(self.folder / "pid"), "-m", "32"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True,
        )
        telephones.wait_until(
            lambda: telephones.is_bound(self.port, socket.SOCK_DGRAM) or self.process.poll() is not None, "kamailio")
        assert self.process.poll() is None, (self.folder / "log").read_text()

    def stop(self):
        telephones.end(self.process)
        # Its children may hang where it ends before it was all there.
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.log.close()
