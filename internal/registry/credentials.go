package registry

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
)

// keys are what signs in to registries, by their hosts.
type keys map[string]authn.AuthConfig

// ReadCredentials reads a file of the form that docker login writes: {"auths": {"HOST": {"auth": …}}}. Programs that keep
// credentials elsewhere are not run.
func ReadCredentials(path string) (authn.Keychain, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read credentials of registries: %w", err)
	}
	var file struct {
		Auths keys `json:"auths"`
		// Names of programs.
		Store   string            `json:"credsStore"`
		Helpers map[string]string `json:"credHelpers"`
	}
	if err := json.Unmarshal(content, &file); err != nil { // the error tells nothing of the content
		return nil, fmt.Errorf("read credentials of registries: %s is not of the form that docker login writes", path)
	}
	if file.Store != "" || len(file.Helpers) > 0 {
		return nil, fmt.Errorf("read credentials of registries: %s names programs (credsStore, credHelpers), which are not run", path)
	}
	hosts := make(keys, len(file.Auths))
	for host, key := range file.Auths {
		host, _, _ = strings.Cut(strings.TrimPrefix(strings.TrimPrefix(host, "https://"), "http://"), "/")
		hosts[host] = key
	}
	return hosts, nil
}

// Resolve finds the credentials of a registry.
func (k keys) Resolve(registry authn.Resource) (authn.Authenticator, error) {
	if key, ok := k[registry.RegistryStr()]; ok {
		return authn.FromConfig(key), nil
	}
	return authn.Anonymous, nil
}
