package resourcepolicy

import (
	"slices"
	"strings"

	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/policy"
)

// defaultHead begins the documents that AddPermission makes (lambda.md 1.3).
const defaultHead = `"Version":"2012-10-17","Id":"default",`

func documentOf(head string, statements []string) string {
	return `{` + head + `"Statement":[` + strings.Join(statements, ",") + `]}`
}

// headOf is what stands before the statements of a document, written anew.
func headOf(d *policy.Document) (string, error) {
	head := ""
	if d.HasVersion {
		head += `"Version":"` + string(d.Version) + `",`
	}
	if d.ID != "" {
		id, err := request.EncodeJSON(d.ID)
		if err != nil {
			return "", err
		}
		head += `"Id":` + id + `,`
	}
	return head, nil
}

// statementsOf are the statements of a document as they are written.
func statementsOf(d *policy.Document) []string {
	all := make([]string, len(d.Statements))
	for i, s := range d.Statements {
		all[i] = string(d.Source[s.Span.Start:s.Span.End])
	}
	return all
}

// indexOf gives the position of a statement, or -1.
func indexOf(d *policy.Document, sid string) int {
	return slices.IndexFunc(d.Statements, func(s policy.Statement) bool { return s.Sid == sid })
}

// withStatement is the text of a document with one statement more; of nil, a new one.
func withStatement(d *policy.Document, text string) (string, error) {
	if d == nil {
		return documentOf(defaultHead, []string{text}), nil
	}
	head, err := headOf(d)
	return documentOf(head, append(statementsOf(d), text)), err
}

// withoutStatement is the text of a document without one of its statements.
func withoutStatement(d *policy.Document, i int) (string, error) {
	head, err := headOf(d)
	return documentOf(head, slices.Delete(statementsOf(d), i, i+1)), err
}

// joinedText is one document with the statements of several. In one of 2008 "${" is literal, which the newer version has another
// spelling for (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html).
func joinedText(documents ...*policy.Document) string {
	var all []string
	for _, d := range documents {
		if d.Version != policy.Version2012 {
			for _, s := range d.Statements {
				printed := string(policy.Print(&policy.Document{Statements: []policy.Statement{s}}))
				printed = strings.TrimSuffix(strings.TrimPrefix(printed, `{"Statement":[`), `]}`)
				all = append(all, strings.ReplaceAll(printed, "${", "${$}{"))
			}
			continue
		}
		all = append(all, statementsOf(d)...)
	}
	return documentOf(defaultHead, all)
}
