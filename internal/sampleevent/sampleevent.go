package sampleevent

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/licet/licet/internal/nearest"
)

//go:embed events
var files embed.FS

// Event is one kind of event.
type Event struct {
	// Name is the service and the kind, such as "s3/put".
	Name string
	// Principal is the service that invokes with it, as policies name it; "" where a role's policies decide, or Lambda itself invokes.
	Principal string
	// Mode is "async" or "sync".
	Mode string
	// About says in a few words what happened, Source is the page that documents it.
	About, Source string
	// SourceARN is the form of the resource for which the service invokes; "" for none.
	SourceARN string
	text      string
}

// Values fill an event in. Zero values are those of examples.
type Values struct {
	Account, Region, Partition string
	// SourceARN is the resource for which the service invokes.
	SourceARN string
}

// All gives every event, sorted by name.
func All() []Event { return slices.Clone(all()) }

var all = sync.OnceValue(func() []Event {
	var list []Event
	err := fs.WalkDir(files, "events", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		e, err := parse(strings.TrimSuffix(strings.TrimPrefix(path, "events/"), ".event"), string(text))
		list = append(list, e)
		return err
	})
	if err != nil {
		panic(fmt.Sprintf("sampleevent: %v", err)) // the files are part of the program
	}
	slices.SortFunc(list, func(a, b Event) int { return strings.Compare(a.Name, b.Name) })
	return list
})

func parse(name, text string) (Event, error) {
	e := Event{Name: name}
	head, body, ok := strings.Cut(text, "\n\n")
	if !ok || !json.Valid([]byte(body)) {
		return e, fmt.Errorf("%s: want lines of what is known, an empty line, and JSON", name)
	}
	e.text = strings.TrimSpace(body)
	for line := range strings.Lines(head) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "principal":
			e.Principal = value
		case "mode":
			e.Mode = value
		case "about":
			e.About = value
		case "source":
			e.Source = value
		case "arn":
			e.SourceARN = value
		default:
			return e, fmt.Errorf("%s: unknown line %q", name, line)
		}
	}
	if e.Mode == "" || e.About == "" || e.Source == "" {
		return e, fmt.Errorf("%s: mode, about and source must be there", name)
	}
	return e, nil
}

// Find gives an event by its name, or by its service where that has one. The error names those that are like it.
func Find(name string) (Event, error) {
	var names []string
	var ofService []Event
	for _, e := range all() {
		if e.Name == name {
			return e, nil
		}
		names = append(names, e.Name)
		if strings.HasPrefix(e.Name, name+"/") {
			ofService = append(ofService, e)
		}
	}
	hint := "licet events list shows all."
	switch near := nearest.Of(name, names); {
	case len(ofService) == 1:
		return ofService[0], nil
	case len(ofService) > 1:
		var several []string
		for _, e := range ofService {
			several = append(several, e.Name)
		}
		hint = "There are " + strings.Join(several, ", ") + "."
	case len(near) > 0:
		hint = "Did you mean " + strings.Join(near, ", ") + "?"
	}
	return Event{}, fmt.Errorf("there is no event %q. %s", name, hint)
}

// JSON is the event, indented, filled in with values.
func (e Event) JSON(v Values) []byte {
	fill := func(value *string, example string) {
		if *value == "" {
			*value = example
		}
	}
	fill(&v.Account, "123456789012")
	fill(&v.Region, "us-east-1")
	fill(&v.Partition, "aws")
	fill(&v.SourceARN, e.ARN(v))
	name := v.SourceARN[strings.LastIndexAny(v.SourceARN, ":/")+1:]
	values := []string{"${Account}", v.Account, "${Region}", v.Region, "${Partition}", v.Partition, "${SourceArn}", v.SourceARN, "${SourceName}", name}
	for i := 1; i < len(values); i += 2 {
		values[i] = escaped(values[i])
	}
	return []byte(strings.NewReplacer(values...).Replace(e.text) + "\n")
}

// escaped is a text as it stands between the quotation marks of JSON.
func escaped(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string has a JSON form
	}
	return string(b[1 : len(b)-1])
}

// ARN is an example of the resource for which the service invokes; "" where there is none.
func (e Event) ARN(v Values) string {
	return strings.NewReplacer("${Account}", v.Account, "${Region}", v.Region, "${Partition}", v.Partition).Replace(e.SourceARN)
}
