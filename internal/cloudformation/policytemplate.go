package cloudformation

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed policytemplates.txt
var policyTemplatesText string

// policyTemplate is one of SAM's. Its forms are those of Fn::Sub.
type policyTemplate struct {
	parameters []string
	statements []templateStatement
}

type templateStatement struct {
	actions, resources []string
	// key and value are a condition of StringEquals; "" for none.
	key, value string
}

// policyTemplates are all of them by name. The text is ours: what it has wrong, a test finds.
var policyTemplates = sync.OnceValue(func() map[string]policyTemplate {
	all := make(map[string]policyTemplate)
	name := ""
	for line := range strings.Lines(policyTemplatesText) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
		case line[0] != ' ':
			name = words[0]
			all[name] = policyTemplate{parameters: words[1:]}
		default:
			t := all[name]
			t.statements = append(t.statements, statementOf(line))
			all[name] = t
		}
	}
	return all
})

func statementOf(line string) (st templateStatement) {
	actions, rest, _ := strings.Cut(line, " on ")
	resources, condition, _ := strings.Cut(rest, " if ")
	st.actions = strings.Fields(actions)
	for _, form := range strings.Fields(resources) {
		st.resources = append(st.resources, formOf(form))
	}
	if words := strings.Fields(condition); len(words) == 2 {
		st.key, st.value = words[0], formOf(words[1])
	}
	return st
}

// formOf writes a resource of the table as Fn::Sub has it.
func formOf(text string) string {
	text = strings.NewReplacer("{", "${").Replace(text)
	parts := strings.SplitN(text, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return text
	}
	for i, stands := range map[int]string{1: "AWS::Partition", 3: "AWS::Region", 4: "AWS::AccountId"} {
		if parts[i] != "" {
			parts[i] = "${" + stands + "}"
		}
	}
	return strings.Join(parts, ":")
}
