"""The API explorer of the console, as a browser without scripts uses it."""

import html
import re

import requests

TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
SAMPLE = re.compile(r'<pre [^>]*id="sample-(\w+)"[^>]*><code>(.*?)</code></pre>', re.DOTALL)
WIRE = re.compile(r'<pre class="wire"[^>]*id="([\w-]+)"><code>(.*?)</code></pre>', re.DOTALL)
LINK = re.compile(r'href="/console/explorer/(\w+)/([\w-]+)"')
INPUT = re.compile(r'<input id="p-[^"]+" name="(p\.[^"]+)" value="([^"]*)"')
TEXT = re.compile(r'<textarea id="p-[^"]+" name="(p\.[^"]+)"[^>]*>\n(.*?)</textarea>', re.DOTALL)
SELECT = re.compile(r'<select id="p-[^"]+" name="(p\.[^"]+)"[^>]*>(.*?)</select>', re.DOTALL)
CHOSEN = re.compile(r"<option(?: value=\"[^\"]*\")? selected>([^<]*)")
CHOICE = re.compile(r"<option>([^<]*)")


class Explorer:
    """Somebody who has logged in with the operator's token."""

    def __init__(self, url, token):
        self.url = url
        self.session = requests.Session()
        self._post("login", {"token": token})

    def operations(self, dialect):
        """The operations of a dialect that are served."""
        page = self._get(dialect)
        rows = re.findall(r"<tr>.*?</tr>", page, re.DOTALL)
        served = [row for row in rows if "not served here" not in row]
        return [LINK.search(row).group(2) for row in served if LINK.search(row)]

    def form(self, dialect, operation):
        """What the form begins with."""
        page = self._get(f"{dialect}/{operation}")
        values = {name: html.unescape(value) for name, value in INPUT.findall(page)}
        values |= {name: html.unescape(value) for name, value in TEXT.findall(page)}
        for name, options in SELECT.findall(page):
            chosen = CHOSEN.search(options)
            first = [] if '<option value=""' in options else CHOICE.findall(options)
            values[name] = html.unescape(chosen.group(1) if chosen else (first or [""])[0])
        return values

    def send(self, dialect, operation, values, do="send"):
        """Sends a form: the samples, and what stands on the wire, by the ids of the page."""
        token = TOKEN.search(self._get(dialect)).group(1)
        form = values | {"form_token": token, "do": do}
        page = self._post(f"explorer/{dialect}/{operation}", form)
        shown = {name: html.unescape(text) for name, text in WIRE.findall(page)}
        samples = {name: html.unescape(text) for name, text in SAMPLE.findall(page)}
        return samples, shown

    def _get(self, path):
        reply = self.session.get(f"{self.url}/console/explorer/{path}", timeout=120)
        assert reply.status_code == 200, reply.text
        return reply.text

    def _post(self, path, form):
        reply = self.session.post(f"{self.url}/console/{path}", data=form, timeout=120)
        assert reply.status_code == 200, reply.text
        return reply.text
