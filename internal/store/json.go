package store

import (
	"encoding/json"
	"fmt"
)

// GetJSON reads the JSON value at key. Its error is ErrNotFound if there is none.
func GetJSON[T any](r Reader, key string) (T, error) {
	item, err := r.Get(key)
	if err != nil {
		var zero T
		return zero, err
	}
	return DecodeJSON[T](item)
}

// PutJSON keeps v at key as JSON.
func PutJSON(tx Tx, key string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", key, err)
	}
	return tx.Put(key, data)
}

// DecodeJSON decodes an item's JSON value. It is a decoder for NewCache, too.
func DecodeJSON[T any](item Item) (T, error) {
	var v T
	if err := json.Unmarshal(item.Value, &v); err != nil {
		return v, fmt.Errorf("decode %s: %w", item.Key, err)
	}
	return v, nil
}
