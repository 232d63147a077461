package runtimes

import (
	"strings"
	"testing"

	"github.com/licet/licet/internal/sandbox"
)

const (
	response = "invocation/id-1/response"
	failed   = "invocation/id-1/error"
	initFail = "init/error"
	jsonType = "application/json"
)

// once is a scenario of one file, one event and one answer.
func once(code, event, answer string) scenario {
	return scenario{files: map[string]string{"app.py": code}, handler: "app.handler",
		invocations: []invocation{{Event: event}}, want: []post{{response, "", jsonType, answer}}}
}

// atInit is a scenario that ends with an error before the first event.
func atInit(files map[string]string, handler, kind, body, log string) scenario {
	return scenario{files: files, handler: handler, want: []post{{initFail, kind, jsonType, body}}, log: log,
		ended: true, exit: sandbox.Exit{Code: 1}}
}

func with(sc scenario, change func(*scenario)) scenario {
	change(&sc)
	return sc
}

const tracebackLine = "Traceback (most recent call last):"

func TestPython(t *testing.T) {
	for name, sc := range map[string]scenario{
		"echo":    once("def handler(event, context): return event", `{"a": [1, 2.5, null, "ü"]}`, `{"a": [1, 2.5, null, "ü"]}`),
		"nothing": once("def handler(event, context): pass", `1`, `null`),
		"decimal": once("import decimal\ndef handler(event, context): return [decimal.Decimal('1.10'), decimal.Decimal('NaN')]", `1`, `[1.10, NaN]`),
		"bytes": with(once("def handler(event, context): return b'raw'", `1`, `raw`), func(sc *scenario) {
			sc.want[0].Type = "application/unknown"
		}),
		"ascii before 3.12": with(once("def handler(event, context): return event", `"ü"`, `"\u00fc"`), func(sc *scenario) {
			sc.env = []string{"AWS_EXECUTION_ENV=AWS_Lambda_python3.11"}
		}),
		"large": once("def handler(event, context): return event", `"`+strings.Repeat("x", 5<<20)+`"`, `"`+strings.Repeat("x", 5<<20)+`"`),
		// Packages of layers are named after the runtime, whatever the interpreter is.
		"layers": with(once("", `1`, `["package", "plain", "code"]`), func(sc *scenario) {
			sc.files = map[string]string{
				"app.py":                 "import both, plain, own\ndef handler(event, context): return [both.name, plain.name, own.name]",
				"own.py":                 "name = 'code'",
				"layers/python/own.py":   "name = 'layer'",
				"layers/python/both.py":  "name = 'plain'",
				"layers/python/plain.py": "name = 'plain'",
				"layers/python/lib/python3.99/site-packages/both.py": "name = 'package'",
			}
			sc.env = []string{"AWS_EXECUTION_ENV=AWS_Lambda_python3.99"}
		}),
		"module with slash": with(once("", `1`, `"deep"`), func(sc *scenario) {
			sc.files, sc.handler = map[string]string{"src/inner/app.py": "def f(event, context): return 'deep'"}, "src/inner/app.f"
		}),
		"module with dot": with(once("", `1`, `"deep"`), func(sc *scenario) {
			sc.files, sc.handler = map[string]string{"src/inner/app.py": "def f(event, context): return 'deep'"}, "src.inner.app.f"
		}),
		"three on kept and closed connections": {
			files:   map[string]string{"app.py": "n = 0\ndef handler(event, context):\n    global n\n    n += 1\n    return n"},
			handler: "app.handler", invocations: []invocation{{Event: "1"}, {Event: "1", Close: true}, {Event: "1"}},
			want: []post{{response, "", jsonType, "1"}, {"invocation/id-2/response", "", jsonType, "2"}, {"invocation/id-3/response", "", jsonType, "3"}},
		},
		"context": with(once(`def handler(event, context):
    assert 0 < context.get_remaining_time_in_millis() <= 60000
    c, i = context.client_context, context.identity
    return [context.aws_request_id, context.function_name, context.function_version, context.invoked_function_arn,
        context.memory_limit_in_mb, context.log_group_name, context.log_stream_name, context.tenant_id,
        c.custom, c.env, c.client.app_title, c.client.installation_id, i.cognito_identity_id, i.cognito_identity_pool_id,
        __import__("os").environ.get("_X_AMZN_TRACE_ID")]`, `1`,
			`["id-1", "f", "$LATEST", "arn:aws:lambda:us-east-1:123456789012:function:f", "128", "/aws/lambda/f", "stream", "blue", `+
				`{"a": "ü"}, {"b": 1}, "title", null, "me", "pool", "Root=1"]`), func(sc *scenario) {
			sc.invocations[0].Header = map[string]string{
				"Lambda-Runtime-Client-Context":   `{"custom":{"a":"ü"},"env":{"b":1},"client":{"app_title":"title"}}`,
				"Lambda-Runtime-Cognito-Identity": `{"cognitoIdentityId":"me","cognitoIdentityPoolId":"pool"}`,
				"Lambda-Runtime-Aws-Tenant-Id":    "blue", "Lambda-Runtime-Trace-Id": "Root=1",
			}
		}),
		"trace context": with(once("def handler(event, context): return [context.w3c(), context.client_context.custom]", `1`,
			`[{"traceparent": "00-a"}, 1]`), func(sc *scenario) {
			sc.invocations[0].Header = map[string]string{
				"Lambda-Runtime-Client-Context": `{"custom":1,"w3c":{"traceparent":"00-a","baggage":7,"other":"x"}}`}
		}),
		"no trace context": once("def handler(event, context): return context.w3c()", `1`, `{}`),
		"empty context": once(`import os
def handler(event, context):
    return [context.client_context, context.identity.cognito_identity_id, context.tenant_id, "_X_AMZN_TRACE_ID" in os.environ]`,
			`1`, `[null, null, null, false]`),
		"bad client context": with(once("def handler(event, context): pass", `1`, ""), func(sc *scenario) {
			sc.invocations[0].Header = map[string]string{"Lambda-Runtime-Client-Context": "{"}
			const message = "Unable to parse Client Context JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
			sc.want = []post{{failed, "Runtime.LambdaContextUnmarshalError", jsonType, `{"errorMessage": "` + message +
				`", "errorType": "Runtime.LambdaContextUnmarshalError", "requestId": "id-1", "stackTrace": []}`}}
			sc.log = "[ERROR] Runtime.LambdaContextUnmarshalError: " + message + "\r" + tracebackLine + "\n"
		}),
		"error": with(once("def handler(event, context):\n    return deeper()\ndef deeper():\n    raise ValueError('bad \"value\"')", `1`, ""),
			func(sc *scenario) {
				sc.want = []post{{failed, "Unhandled", jsonType, `{"errorMessage": "bad \"value\"", "errorType": "ValueError", "requestId": "id-1", ` +
					`"stackTrace": ["  File \"/var/task/app.py\", line 2, in handler\n    return deeper()\n", ` +
					`"  File \"/var/task/app.py\", line 4, in deeper\n    raise ValueError('bad \"value\"')\n"]}`}}
				sc.log = "[ERROR] ValueError: bad \"value\"\r" + tracebackLine + "\r" +
					"\u00a0\u00a0File \"/var/task/app.py\", line 2, in handler\r\u00a0\u00a0\u00a0\u00a0return deeper()\r" +
					"\u00a0\u00a0File \"/var/task/app.py\", line 4, in deeper\r\u00a0\u00a0\u00a0\u00a0raise ValueError('bad \"value\"')\n"
			}),
		"not serializable": with(once("import datetime\ndef handler(event, context): return datetime.date(2000, 1, 1)", `1`, ""),
			func(sc *scenario) {
				const message = "Unable to marshal response: Object of type date is not JSON serializable"
				sc.want = []post{{failed, "Runtime.MarshalError", jsonType, `{"errorMessage": "` + message +
					`", "errorType": "Runtime.MarshalError", "requestId": "id-1", "stackTrace": []}`}}
				sc.log = "[ERROR] Runtime.MarshalError: " + message + "\r" + tracebackLine + "\n"
			}),
		"exit": with(once("import sys\ndef handler(event, context): sys.exit(3)", `1`, ""), func(sc *scenario) {
			sc.want, sc.ended, sc.exit = nil, true, sandbox.Exit{Code: 3}
		}),
		"response refused": {
			files: map[string]string{"app.py": "def handler(event, context): return 1"}, handler: "app.handler",
			invocations: []invocation{{Event: "1"}, {Event: "1"}}, refuse: []int{413, 500},
			want: []post{{response, "", jsonType, "1"}, {"invocation/id-2/response", "", jsonType, "1"}},
			log: "LAMBDA_RUNTIME Failed to post invocation/id-1/response. Http response code: 413. {\"status\":\"OK\"}\n" +
				"LAMBDA_RUNTIME Failed to post invocation/id-2/response. Http response code: 500. {\"status\":\"OK\"}\n",
			ended: true, exit: sandbox.Exit{Code: 1},
		},
		"no module": atInit(nil, "app.handler", "Runtime.ImportModuleError",
			`{"errorMessage": "Unable to import module 'app': No module named 'app'", "errorType": "Runtime.ImportModuleError", "requestId": "", "stackTrace": []}`,
			"[ERROR] Runtime.ImportModuleError: Unable to import module 'app': No module named 'app'\r"+tracebackLine+"\n"),
		"no handler": atInit(map[string]string{"app.py": ""}, "app.handler", "Runtime.HandlerNotFound",
			`{"errorMessage": "Handler 'handler' missing on module 'app'", "errorType": "Runtime.HandlerNotFound", "requestId": "", "stackTrace": []}`,
			"[ERROR] Runtime.HandlerNotFound: Handler 'handler' missing on module 'app'\r"+tracebackLine+"\n"),
		"bad handler": atInit(nil, "handler", "Runtime.MalformedHandlerName",
			`{"errorMessage": "Bad handler 'handler': not enough values to unpack (expected 2, got 1)", "errorType": "Runtime.MalformedHandlerName", "requestId": "", "stackTrace": []}`,
			"[ERROR] Runtime.MalformedHandlerName: Bad handler 'handler': not enough values to unpack (expected 2, got 1)\r"+tracebackLine+"\n"),
		"built-in": atInit(nil, "sys.exit", "Runtime.BuiltInModuleConflict",
			`{"errorMessage": "Cannot use built-in module sys as a handler module", "errorType": "Runtime.BuiltInModuleConflict", "requestId": "", "stackTrace": []}`,
			"[ERROR] Runtime.BuiltInModuleConflict: Cannot use built-in module sys as a handler module\r"+tracebackLine+"\n"),
		"print and logging": with(once(`import logging, sys
def handler(event, context):
    print("printed")
    sys.stderr.write("half "); sys.stderr.write("line\n")
    logging.warning("two\nlines %d", 2)
    logging.info("not shown")
    logging.getLogger("x").error("named")`, `1`, `null`), func(sc *scenario) {
			sc.log = "printed\nhalf line\n[WARNING]\tTIME\tid-1\ttwo\rlines 2\n[ERROR]\tTIME\tid-1\tnamed\n"
		}),
		"log level": with(once("import logging\ndef handler(event, context): logging.debug('d'); logging.info('i')", `1`, `null`),
			func(sc *scenario) {
				sc.env, sc.log = []string{"AWS_LAMBDA_LOG_LEVEL=INFO"}, "[INFO]\tTIME\tid-1\ti\n"
			}),
		"JSON logs": with(once("import logging\ndef handler(event, context): logging.error('two\\nlines', extra={'own': 1})", `1`, `null`),
			func(sc *scenario) {
				sc.env = []string{"AWS_LAMBDA_LOG_FORMAT=JSON"}
				sc.log = `{"timestamp": "TIME", "level": "ERROR", "message": "two\nlines", "logger": "root", "requestId": "id-1", "own": 1}` + "\n"
			}),
		"JSON error": with(atInit(nil, "app.handler", "Runtime.ImportModuleError",
			`{"errorMessage": "Unable to import module 'app': No module named 'app'", "errorType": "Runtime.ImportModuleError", "requestId": "", "stackTrace": []}`,
			`{"timestamp": "TIME", "level": "ERROR", "errorMessage": "Unable to import module 'app': No module named 'app'", `+
				`"errorType": "Runtime.ImportModuleError", "requestId": "", "stackTrace": []}`+"\n"), func(sc *scenario) {
			sc.env = []string{"AWS_LAMBDA_LOG_FORMAT=JSON"}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, "python3.12", sc)
		})
	}
}

// TestPythonSyntaxError needs Python 3.10 or later, whose words it compares.
func TestPythonSyntaxError(t *testing.T) {
	run(t, "python3.12", atInit(map[string]string{"app.py": "x = 1\ndef handler(event, context) return 1\n"}, "app.handler",
		"Runtime.UserCodeSyntaxError",
		`{"errorMessage": "Syntax error in module 'app': expected ':' (app.py, line 2)", "errorType": "Runtime.UserCodeSyntaxError", `+
			`"requestId": "", "stackTrace": ["  File \"/var/task/app.py\" Line 2\n    def handler(event, context) return 1\n"]}`,
		"[ERROR] Runtime.UserCodeSyntaxError: Syntax error in module 'app': expected ':' (app.py, line 2)\r"+tracebackLine+
			"\r\u00a0\u00a0File \"/var/task/app.py\" Line 2\r\u00a0\u00a0\u00a0\u00a0def handler(event, context) return 1\n"))
}
