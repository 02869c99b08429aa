"""Providers without a published mock. Each reads our requests with the models of the provider's own SDK, whose
rules are not ours, refuses what does not fit them, and answers what the SDK itself can read."""

import base64
import dataclasses
import json
import urllib.parse

import android_sms_gateway.domain as phone
import jwt
from infobip_api_client.models import SmsRequest, SmsResponse
from vonage_sms.requests import SmsMessage
from vonage_sms.responses import SmsResponse as VonageSmsResponse
from vonage_utils.types import PhoneNumber
from vonage_voice.models import CreateCallRequest
from vonage_voice.models.enums import TtsLanguageCode
from vonage_voice.models.responses import CreateCallResponse
from pydantic import TypeAdapter

from conftest import Provider


class Refused(Exception):
    """The provider does not take it."""


def same(read, sent):
    """Whether a model understood everything that was sent: what it does not know it drops."""
    if read != sent:
        raise Refused(f"not understood: {sent} was read as {read}")


class Checked(Provider):
    """Takes what fits; `texts` is what it would have sent or said, by number."""

    def __init__(self):
        super().__init__()
        self.texts, self.refused = [], []

    def usual(self, path, headers, body):
        try:
            status, answer = self.read(path, headers, body)
        except Exception as error:  # Whatever the models say.
            self.refused.append(repr(error))
            status, answer = 400, {"title": "refused", "message": "refused"}
        return status, {"Content-Type": "application/json"}, json.dumps(answer).encode()

    def text_for(self, number):
        (text,) = [text for to, text in self.texts if to.lstrip("+") == number.lstrip("+")]
        return text


def field_names(model):
    return {field.serialization_alias or name: name for name, field in model.model_fields.items()}


class Vonage(Checked):
    """SMS API: a form; the answer is 200 whatever happened."""

    key, secret = "abcd1234", "vonage-secret"

    def read(self, path, headers, body):
        assert path == "/sms/json" and headers["Content-Type"].startswith("application/x-www-form-urlencoded")
        form = dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True))
        who = (form.pop("api_key", None), form.pop("api_secret", None))
        if who != (self.key, self.secret):
            return 200, {"message-count": "1", "messages": [{"status": "4", "error-text": "Bad Credentials"}]}
        names = field_names(SmsMessage)
        if unknown := form.keys() - names.keys():
            raise Refused(f"unknown parameters {unknown}")
        message = SmsMessage.model_validate({names[key]: value for key, value in form.items()})
        number = TypeAdapter(PhoneNumber).validate_python(message.to)
        self.texts.append((number, message.text))
        answer = {"message-count": "1", "messages": [{
            "to": number, "message-id": f"V-{len(self.texts)}", "status": "0", "remaining-balance": "3.14",
            "message-price": "0.03", "network": "23410", "client-ref": message.client_ref}]}
        VonageSmsResponse.model_validate(answer)
        return 200, answer


class VonageVoice(Checked):
    """Voice API: JSON, with a token of the application."""

    def __init__(self, application, public_key):
        super().__init__()
        self.application, self.public_key, self.seen = application, public_key, set()

    def read(self, path, headers, body):
        kind, token = headers["Authorization"].split()
        assert (path, kind) == ("/v1/calls", "Bearer")
        required = ["application_id", "iat", "exp", "jti"]
        claims = jwt.decode(token, self.public_key, algorithms=["RS256"], options={"require": required})
        if claims["application_id"] != self.application or claims["jti"] in self.seen:
            raise Refused("another application, or a token that was used")
        if not 0 < claims["exp"] - claims["iat"] <= 24 * 3600:
            raise Refused("a token lives a day at most")
        self.seen.add(claims["jti"])
        sent = json.loads(body)
        order = CreateCallRequest.model_validate({**sent, "from_": sent["from"]})
        same(order.model_dump(mode="json", by_alias=True, exclude_unset=True), sent)
        (talk,) = order.ncco
        TtsLanguageCode(talk.language)
        self.texts.append((order.to[0].number, talk.text))
        answer = {"uuid": f"VV-{len(self.texts)}", "status": "started", "direction": "outbound",
                  "conversation_uuid": "CON-1"}
        CreateCallResponse.model_validate(answer)
        return 201, answer


class Infobip(Checked):
    """SMS API, version 3."""

    key = "infobip-key"

    def read(self, path, headers, body):
        assert path == "/sms/3/messages" and headers["Content-Type"] == "application/json"
        if headers["Authorization"] != "App " + self.key:
            return 401, {"requestError": {"serviceException": {"messageId": "UNAUTHORIZED"}}}
        sent = json.loads(body)
        order = SmsRequest.from_dict(sent)
        same(order.to_dict(), sent)
        (message,) = order.messages
        (to,) = message.destinations
        self.texts.append((to.to, sent["messages"][0]["content"]["text"]))
        answer = {"messages": [{"messageId": to.message_id, "destination": to.to, "status": {
            "groupId": 1, "groupName": "PENDING", "id": 26, "name": "PENDING_ACCEPTED",
            "description": "Message sent to next instance"}}]}
        same(SmsResponse.from_dict(answer).to_dict(), answer)
        return 200, answer


class Telephone(Checked):
    """SMS Gateway for Android."""

    user, password = "sms", "phone-secret"

    def read(self, path, headers, body):
        who = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
        if (path, who) != ("/messages", f"{self.user}:{self.password}"):
            return 401, {"message": "unauthorized"}
        sent = json.loads(body)
        names = {phone.snake_to_camel(it.name): it.name for it in dataclasses.fields(phone.Message)}
        given = {names[key]: value for key, value in sent.items()}
        given["text_message"] = phone.TextMessage.from_dict(given["text_message"])
        message = phone.Message(**given)
        own = {"isEncrypted": False, "priority": phone.MessagePriority.DEFAULT.value}
        same(message.asdict(), own | sent)
        (number,) = message.phone_numbers
        self.texts.append((number, message.content))
        answer = {"id": message.id, "state": "Pending", "isHashed": False, "isEncrypted": False,
                  "recipients": [{"phoneNumber": number, "state": "Pending"}], "states": {}}
        phone.MessageState.from_dict(answer)
        return 202, answer


class Other(Checked):
    """The provider that the page makes up: `sms.example.org`."""

    def read(self, path, headers, body):
        assert path == "/v2/send" and headers["Authorization"] == "Bearer other-token"
        sent = json.loads(body)
        assert sent.keys() == {"to", "body"}, "a field that came out empty is left out"
        self.texts.append((sent["to"], sent["body"]))
        return 202, {"message": {"id": f"O-{len(self.texts)}"}}
