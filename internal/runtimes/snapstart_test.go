package runtimes

import (
	"strings"
	"testing"

	"github.com/licet/licet/internal/sandbox"
)

const (
	restoreNext = "restore/next"
	restoreFail = "restore/error"
)

// hooked is a handler with hooks, which tells what ran before it.
const hooked = `from snapshot_restore_py import register_after_restore, register_before_snapshot
ran = []

@register_before_snapshot
def first():
    ran.append("before 1")
    register_before_snapshot(ran.append, "before late")

def note(word, at):
    ran.append(word + at)
    print(word + at)

register_before_snapshot(note, "before", at=" 2")
register_after_restore(note, "after", at=" 1")

@register_after_restore
def last():
    ran.append("after 2")

def handler(event, context):
    return ran
`

// What fails before the snapshot is an error of the initialization, and what fails after it one of the restore: types, exit codes and order
// are those of aws-lambda-python-runtime-interface-client (bootstrap.py, lambda_runtime_hooks_runner.py).
func TestPythonSnapStart(t *testing.T) {
	snapStart := func(code string, want []post, log string) scenario {
		return scenario{files: map[string]string{"app.py": code}, handler: "app.handler", env: []string{"AWS_LAMBDA_INITIALIZATION_TYPE=snap-start"},
			invocations: []invocation{{Event: "1"}}, want: want, log: log}
	}
	fails := func(code string, want []post, log string, exit int) scenario {
		sc := snapStart(code, want, log)
		sc.ended, sc.exit = true, sandbox.Exit{Code: exit}
		return sc
	}
	asked := post{Path: restoreNext}
	const (
		register = "from snapshot_restore_py import *\n\ndef bad(): raise ValueError('bad')\n"
		trace    = `"stackTrace": ["  File \"/var/task/app.py\", line 3, in bad\n    def bad(): raise ValueError('bad')\n"]}`
		bad      = `{"errorMessage": "bad", "errorType": "ValueError", "requestId": "", ` + trace
		badLog   = "[ERROR] ValueError: bad\r" + tracebackLine + "\r\u00a0\u00a0File \"/var/task/app.py\", line 3, in bad\r" +
			"\u00a0\u00a0\u00a0\u00a0def bad(): raise ValueError('bad')\n"
	)
	replace := strings.NewReplacer("ValueError: bad", "SystemExit: bad", `"ValueError"`, `"SystemExit"`, "raise ValueError('bad')", "sys.exit('bad')").Replace
	for name, sc := range map[string]scenario{
		"hooks": snapStart(hooked, []post{asked, {response, "", jsonType, `["before 2", "before 1", "before late", "after 1", "after 2"]`}},
			"before 2\nafter 1\n"),
		"no hooks": snapStart("def handler(event, context): return event", []post{asked, {response, "", jsonType, "1"}}, ""),
		"own package": with(snapStart("", []post{asked, {response, "", jsonType, `["own"]`}}, ""), func(sc *scenario) {
			sc.files = map[string]string{
				"snapshot_restore_py/__init__.py": "ran = []\ndef get_before_snapshot(): return [(ran.append, ('own',), {})] if not ran else []\n" +
					"def get_after_restore(): return []\n",
				"app.py": "import snapshot_restore_py\ndef handler(event, context): return snapshot_restore_py.ran\n",
			}
		}),
		"without SnapStart": with(snapStart(hooked, []post{{response, "", jsonType, "[]"}}, ""), func(sc *scenario) {
			sc.env = []string{"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand"}
		}),
		"before fails": fails(register+"register_before_snapshot(bad)\ndef handler(event, context): pass\n",
			[]post{{initFail, "Runtime.BeforeSnapshotError", jsonType, bad}}, badLog, 64),
		"after fails": fails(register+"register_after_restore(bad)\ndef handler(event, context): pass\n",
			[]post{asked, {restoreFail, "Runtime.AfterRestoreError", jsonType, bad}}, badLog, 65),
		"after exits": fails("from snapshot_restore_py import *\nimport sys\ndef bad(): sys.exit('bad')\nregister_after_restore(bad)\n"+
			"def handler(event, context): pass\n", []post{asked, {restoreFail, "Runtime.AfterRestoreError", jsonType, replace(bad)}}, replace(badLog), 65),
		"not offered": with(fails("def handler(event, context): pass", []post{asked},
			"LAMBDA_RUNTIME Failed to wait for the restore. Http response code: 404\n", 1), func(sc *scenario) { sc.refuse = []int{404} }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, "python3.12", sc)
		})
	}
}
