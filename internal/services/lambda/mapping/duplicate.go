package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// sourceKeys are the keys at which stands the UUID of the mapping that has a source for a function, version or alias: one for each name of
// the source. By them a duplicate is found without reading all mappings.
func sourceKeys(m *mapping) ([]string, error) {
	src, err := sourceOf(&m.Shown)
	if err != nil {
		return nil, fmt.Errorf("source of event source mapping %s: %w", *m.Shown.UUID, err)
	}
	keys := make([]string, len(src.names))
	for i, name := range src.names {
		sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", *m.Shown.FunctionArn, name, m.Shown.Topics, m.Shown.Queues))
		keys[i] = "lambda/" + m.Account + "/" + m.Region + "/mapping-source/" + hex.EncodeToString(sum[:])
	}
	return keys, nil
}

// eachSource gives the keys of a mapping's source with the mapping that has it, "" if none has.
func eachSource(tx store.Tx, m *mapping, do func(key, owner string) error) error {
	keys, err := sourceKeys(m)
	if err != nil {
		return err
	}
	for _, key := range keys {
		owner, err := store.GetJSON[string](tx, key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := do(key, owner); err != nil {
			return err
		}
	}
	return nil
}

// take notes that a mapping has its source. An update may have made it the second: then the first stays.
func take(tx store.Tx, m *mapping) error {
	return eachSource(tx, m, func(key, owner string) error {
		if owner != "" {
			return nil
		}
		return store.PutJSON(tx, key, *m.Shown.UUID)
	})
}

// release ends what take began.
func release(tx store.Tx, m *mapping) error {
	return eachSource(tx, m, func(key, owner string) error {
		if owner != *m.Shown.UUID {
			return nil
		}
		return tx.Delete(key)
	})
}

// checkDuplicate refuses a second mapping of a source to the same function, version or alias: lambda.md 5.5.
func checkDuplicate(tx store.Tx, r request.Function, src source, m *mapping) error {
	return eachSource(tx, m, func(_, owner string) error {
		if owner == "" {
			return nil
		}
		return duplicate(r, src, m, owner)
	})
}

// duplicate is the error that names the mapping which has the source.
func duplicate(r request.Function, src source, m *mapping, id string) error {
	switch {
	case src.kind == queue:
		return fault.Conflict(`An event source mapping with SQS arn (" %s ") and function (" %s ") already exists. `+
			`Please update or delete the existing mapping with UUID %s`, src.arn, r.Name, id)
	case src.isKafka():
		return fault.Conflict(`An event source mapping with event source ("%s"), function ("%s"), topics ("%s") already exists. `+
			`Please update or delete the existing mapping with UUID %s`, src.names[0], *m.Shown.FunctionArn, m.Shown.Topics[0], id)
	}
	return fault.Conflict(`The event source arn (" %s ") and function (" %s ") provided mapping already exists. `+
		`Please update or delete the existing mapping with UUID %s`, src.arn, r.Name, id)
}
