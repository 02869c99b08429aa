"""The official SDKs behind one face, so that a test says once what every one of them must live through.

Nothing of theirs is changed: each is given endpoint, key and protocol the way its documentation has it.
"""

import dataclasses
import importlib
import json
import os
import pathlib
import re
import subprocess
import warnings

from alibabacloud_cams20200606 import models
from alibabacloud_cams20200606.client import Client
from alibabacloud_tea_openapi import utils_models
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.auth.credentials import AccessKeyCredential, StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest
from darabonba.runtime import RuntimeOptions

VERSION = "2020-06-06"
DRIVER = pathlib.Path(__file__).parent / "node" / "driver.js"


@dataclasses.dataclass(frozen=True)
class Key:
    """An access key, with the token of a temporary one."""

    id: str
    secret: str
    token: str | None = None


@dataclasses.dataclass
class Reply:
    """What an SDK made of an answer: returned or thrown, and what it exposes either way."""

    thrown: bool
    status: int | None
    code: str | None
    body: dict
    name: str | None = None
    message: str | None = None
    detail: dict | None = None

    @property
    def outcome(self):
        """HTTP status and `Code`; some SDKs know no status of an answer that they return."""
        return (self.status or 200, self.code)


def snake(name):
    """`CustSpaceId` as the Python SDKs write it."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class PythonTyped:
    """`alibabacloud_cams20200606`: ACS3 by default, RPC with the algorithm `v2`."""

    takes_lists = True
    exposes_detail = True

    def __init__(self, server, scheme, key, signature="v3", **_):
        self.client = Client(
            utils_models.Config(
                access_key_id=key.id,
                access_key_secret=key.secret,
                security_token=key.token,
                endpoint=server.endpoint(scheme),
                protocol=scheme,
                signature_algorithm="v2" if signature == "v1" else None,
                ca=str(server.ca) if scheme == "https" else None,
            )
        )

    def call(self, action, **params):
        fields = {snake(name): value for name, value in params.items()}
        request = getattr(models, action + "Request")(**fields)
        method = getattr(self.client, snake(action) + "_with_options")
        try:
            answer = method(request, RuntimeOptions())
        except AlibabaCloudException as error:
            detail = getattr(error, "access_denied_detail", None)
            name, data = type(error).__name__, error.data or {}
            return Reply(True, error.status_code, error.code, data, name, error.message, detail)
        body = answer.body.to_map()
        return Reply(False, answer.status_code, body["Code"], body)


class PythonCore:
    """`aliyun-python-sdk-core` with the requests of `aliyun-python-sdk-cams`: RPC only."""

    takes_lists = True
    exposes_detail = False

    def __init__(self, server, scheme, key, **_):
        host, _, port = server.endpoint(scheme).partition(":")
        self.host, self.scheme = host, scheme
        verify = str(server.ca) if scheme == "https" else None
        credential = (
            StsTokenCredential(key.id, key.secret, key.token)
            if key.token
            else AccessKeyCredential(key.id, key.secret)
        )
        self.client = AcsClient(
            region_id="ap-southeast-1", credential=credential, port=int(port), verify=verify
        )

    def request(self, action, params):
        """The request that the SDK has for an action, or its general one where it has none."""
        try:
            module = importlib.import_module(f"aliyunsdkcams.request.v20200606.{action}Request")
        except ModuleNotFoundError:
            request = CommonRequest(self.host, VERSION, action)
            request.set_method("POST")
            for name, value in params.items():
                request.add_query_param(name, value)
        else:
            request = getattr(module, action + "Request")()
            for name, value in params.items():
                getattr(request, "set_" + name)(value)
        request.set_endpoint(self.host)
        request.set_protocol_type(self.scheme)
        return request

    def call(self, action, **params):
        try:
            body = json.loads(self.client.do_action_with_exception(self.request(action, params)))
        except ServerException as error:
            status, code = error.get_http_status(), error.get_error_code()
            return Reply(True, status, code, {}, type(error).__name__, error.get_error_msg())
        return Reply(False, None, body["Code"], body)

    def raw(self, action, accept, **params):
        """Status, content type and text of an answer in the form that the SDK asks for."""
        request = self.request(action, params)
        request.set_accept_format(accept)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            status, headers, body = self.client.get_response(request)
        return status, headers["content-type"], body.decode()


class Node:
    """The driver process with the SDKs for Node."""

    exposes_detail = True

    def __init__(self, server, scheme, key, signature=None, method=None):
        self.takes_lists = method is None
        self.order = {"method": method}
        config = {"accessKeyId": key.id, "accessKeySecret": key.secret}
        if key.token:
            config["securityToken"] = key.token
        if method:
            self.order["sdk"] = "pop"
            config["endpoint"] = server.urls[scheme]
        else:
            self.order["sdk"] = "typed"
            config |= {"endpoint": server.endpoint(scheme), "protocol": scheme}
            if signature == "v1":
                config["signatureAlgorithm"] = "v2"
        self.order["config"] = config
        modules = os.environ["ROLLCALL_SDKS_NODE"]
        # How Node learns of an authority of one's own, without a change of the program.
        extra = {"NODE_PATH": modules, "NODE_EXTRA_CA_CERTS": str(server.ca)}
        self.process = subprocess.Popen(
            ["node", str(DRIVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | extra,
        )

    def call(self, action, **params):
        order = self.order | {"action": action, "params": params}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        report = json.loads(self.process.stdout.readline())
        if "returned" in report:
            answer = report["returned"]
            return Reply(False, answer["status"], answer["body"]["Code"], answer["body"])
        thrown = report["thrown"]
        return Reply(
            True,
            thrown.get("status"),
            thrown.get("code"),
            thrown.get("data") or {},
            thrown["name"],
            thrown["message"],
            thrown.get("detail"),
        )

    def close(self):
        """Ends the process, which ends by itself with its input."""
        self.process.stdin.close()
        self.process.wait(timeout=120)
        self.process.stdout.close()


# Name of each way to call: SDK, signature family, HTTP method where it is a matter of choice.
WAYS = {
    "python-typed-v3": (PythonTyped, {"signature": "v3"}),
    "python-typed-v1": (PythonTyped, {"signature": "v1"}),
    "python-core-v1": (PythonCore, {}),
    "node-typed-v3": (Node, {"signature": "v3"}),
    "node-typed-v1": (Node, {"signature": "v1"}),
    "node-pop-get-v1": (Node, {"method": "GET"}),
    "node-pop-post-v1": (Node, {"method": "POST"}),
}


def connect(way, server, scheme, key):
    """An SDK, set up the way it is called."""
    kind, options = WAYS[way]
    return kind(server, scheme, key, **options)
