package secret

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// PlaceFile in a data directory says where its key file is. Without it the key file is in the directory.
const PlaceFile = "keyfile"

// Place is the key file of a data directory; apart tells that it is kept apart from it.
func Place(dir string) (path string, apart bool, err error) {
	b, err := os.ReadFile(filepath.Join(dir, PlaceFile))
	if errors.Is(err, fs.ErrNotExist) {
		return filepath.Join(dir, "key"), false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read where the key is: %w", err)
	}
	path = strings.TrimSpace(string(b))
	if !filepath.IsAbs(path) {
		return "", false, fmt.Errorf("%s does not hold the path of a key file", filepath.Join(dir, PlaceFile))
	}
	return path, true, nil
}
