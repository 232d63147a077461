package iam

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/store"
)

func TestSetSecurityTokenServicePreferences(t *testing.T) {
	w := newWorld(t)
	for _, version := range []types.GlobalEndpointTokenVersion{"v2Token", "v1Token"} {
		must[sdk.SetSecurityTokenServicePreferencesOutput](w, &sdk.SetSecurityTokenServicePreferencesInput{GlobalEndpointTokenVersion: version})
		if err := w.db.View(t.Context(), func(r store.Reader) error {
			item, err := r.Get(record.TokenVersionKey(account))
			if got := string(item.Value); got != string(version) {
				t.Errorf("got %s, want %s", got, version)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, version := range []types.GlobalEndpointTokenVersion{"", "v3Token"} {
		_, err := w.do(&sdk.SetSecurityTokenServicePreferencesInput{GlobalEndpointTokenVersion: version})
		wantError(t, err, "ValidationError", "1 validation error detected: Value at 'globalEndpointTokenVersion' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [v2Token, v1Token]")
	}
}
