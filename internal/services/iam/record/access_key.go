package record

import (
	"time"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/store"
)

// PutNewKey makes an access key for an identity and keeps it. It returns the secret, which is not shown again.
func PutNewKey(tx store.Tx, k *secret.Keyring, account string, e *Identity, id string, now time.Time) (AccessKey, string, error) {
	secretKey := principal.NewSecretAccessKey()
	sealed, err := SealSecret(k, AccessKeyPurpose, id, secretKey)
	if err != nil {
		return AccessKey{}, "", err
	}
	key := AccessKey{
		ID: id, Account: account, Kind: e.Kind, OwnerID: e.ID, Active: true, Secret: sealed,
		Created: now.UTC().Truncate(time.Second),
	}
	e.AccessKeys = append(e.AccessKeys, id)
	return key, secretKey, store.PutJSON(tx, AccessKeyKey(id), key)
}
