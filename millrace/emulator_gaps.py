"""Where the emulator is not like AWS, mended in the process that runs it.

It forgets what it was told, so that a second plan finds changes nobody made: each of these was
found by planning twice (tests/e2e/test_environment.py, which says when one is closed). And it lets
a function write into the machine's own /tmp, which on AWS belongs to the function.
Like `guarded_emulator`, this runs on the emulator's own interpreter: standard library only.
"""

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

Answer = tuple[int, Mapping[str, str], bytes]
Tree = dict[str, Any]

LIVE = (
    "AlarmArn",
    "ActionsEnabled",
    "StateValue",
    "StateReason",
    "StateUpdatedTimestamp",
    "AlarmConfigurationUpdatedTimestamp",
)
"""What of an alarm is not as it was put, but as it is now."""


TOUCH_FILE = """
def _keep_touch_file_inside():
    import importlib.util, os, sys

    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name != "aws_xray_sdk.core.lambda_launcher":
                return None
            sys.meta_path.remove(self)
            spec = importlib.util.find_spec(name)
            if spec is not None:
                run = spec.loader.exec_module
                def run_and_move(module):
                    run(module)
                    module.TOUCH_FILE_DIR = os.path.join(os.environ["TMPDIR"], ".aws-xray", "")
                    module.TOUCH_FILE_PATH = module.TOUCH_FILE_DIR + "initialized"
                spec.loader.exec_module = run_and_move
            return spec

    sys.meta_path.insert(0, Finder())

_keep_touch_file_inside()
"""
"""Goes before a worker's own script: the X-Ray SDK tells Lambda that it is there by a file whose
path it holds as a constant, /tmp/.aws-xray/initialized, and asks nobody where such files go."""


def close(cloudwatch: Any, apigateway: Any, lambda_runtime: Any) -> None:
    """Mend the emulator's modules, for the process that runs it."""
    remember_alarms(cloudwatch)
    forget_invented_payload_format(apigateway)
    keep_touch_file_inside(lambda_runtime)


def keep_touch_file_inside(lambda_runtime: Any) -> None:
    """Workers of Python put the X-Ray SDK's file into their temporary folder."""
    lambda_runtime._PYTHON_WORKER_SCRIPT = TOUCH_FILE + lambda_runtime._PYTHON_WORKER_SCRIPT


def remember_alarms(cloudwatch: Any) -> None:
    """DescribeAlarms in the Query protocol, Terraform's, leaves out most of what an alarm is.

    What was put is kept as it came, and told with the state that the emulator knows.
    """
    put: dict[str, Tree] = {}
    describe: Callable[..., Answer] = cloudwatch._describe_alarms

    def remembering(original: Callable[..., Answer]) -> Callable[..., Answer]:
        def store(
            params: Mapping[str, Any], data: Any, cbor: bool, in_json: bool = False
        ) -> Answer:
            answer = original(params, data, cbor, in_json)
            if answer[0] == 200:
                asked = dict(data) if cbor or in_json else tree(params)
                asked.pop("Tags", None)
                put[arn(str(asked["AlarmName"]))] = asked
            return answer

        return store

    def arn(name: str) -> str:
        return f"{cloudwatch.get_account_id()} {cloudwatch.get_region()} {name}"

    def told(alarm: Tree) -> Tree:
        asked = put.get(arn(alarm["AlarmName"]), alarm)
        return asked | {name: _live(alarm[name]) for name in LIVE if alarm.get(name) is not None}

    def describing(
        params: Mapping[str, Any], data: Any, cbor: bool, in_json: bool = False
    ) -> Answer:
        if cbor or in_json:
            return describe(params, data, cbor, in_json)
        status, _, body = describe(params, tree(params), False, True)
        if status != 200:
            return describe(params, data, cbor, in_json)
        found = json.loads(body)
        for kind in ("MetricAlarms", "CompositeAlarms"):
            found[kind] = [told(alarm) for alarm in found[kind]]
        result = f"<DescribeAlarmsResult>{xml(found)}</DescribeAlarmsResult>"
        answer: Answer = cloudwatch._xml(200, "DescribeAlarmsResponse", result)
        return answer

    cloudwatch._put_metric_alarm = remembering(cloudwatch._put_metric_alarm)
    cloudwatch._put_composite_alarm = remembering(cloudwatch._put_composite_alarm)
    cloudwatch._describe_alarms = describing


def forget_invented_payload_format(apigateway: Any) -> None:
    """A JWT authorizer has no payload format on AWS; the emulator makes one up."""
    create: Callable[..., Answer] = apigateway._create_authorizer

    def creating(api_id: str, data: Mapping[str, Any]) -> Answer:
        answer = create(api_id, data)
        if data.get("authorizerType") == "JWT":
            for authorizer in apigateway._authorizers.get(api_id, {}).values():
                if authorizer.get("authorizerType") == "JWT":
                    authorizer.pop("authorizerPayloadFormatVersion", None)
        return answer

    apigateway._create_authorizer = creating


def tree(params: Mapping[str, Any]) -> Tree:
    """The parameters of a request in AWS's Query protocol, lists and structures put together.

    `{"Dimensions.member.1.Name": ["ApiId"]}` is `{"Dimensions": [{"Name": "ApiId"}]}`.
    """
    root: Tree = {}
    for name, values in params.items():
        if name in ("Action", "Version"):
            continue
        *path, last = re.sub(r"\.member\.", ".#", name).split(".")
        place = root
        for step in path:
            place = place.setdefault(step, {})
        place[last] = values[0] if isinstance(values, list) else values
    joined: Tree = _lists(root)
    return joined


def _live(value: Any) -> Any:
    """Times are numbers in JSON (seconds) and texts in XML."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return dt.datetime.fromtimestamp(value, dt.UTC).isoformat()


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.startswith("#") for name in value):
        return [_lists(value[name]) for name in sorted(value, key=lambda name: int(name[1:]))]
    return {name: _lists(inner) for name, inner in value.items()}


def xml(value: Any) -> str:
    """A value as an answer in AWS's Query protocol holds it; what is null is left out."""
    if isinstance(value, dict):
        return "".join(
            f"<{name}>{xml(inner)}</{name}>" for name, inner in value.items() if inner is not None
        )
    if isinstance(value, list):
        return "".join(f"<member>{xml(inner)}</member>" for inner in value)
    if isinstance(value, bool):
        return str(value).lower()
    return escape(str(value))
