// Package report tells a person, in few lines, what was decided and why: the principal, what each type of policy said, the verdict, the text
// of the policy around the element that decided with a caret under it, and the smallest fix.
//
// It is pure, and reads only what it is given: what an explanation does not have, because its reader may not see it, no report shows. A
// report is lines of pieces with a style each; whoever prints them chooses colours, and must make the texts printable, which come
// from callers. Excerpt shows a place of a policy by itself. The long form of the same is authz.Explanation.Text.
package report
