package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/templates"
)

type newCmd struct {
	Campaign string `arg:"" help:"Name of the campaign: lower-case letters, digits, hyphens, dots, underscores; it becomes a directory." placeholder:"CAMPAIGN"`
	File     string `help:"The campaign.yaml to start from; logos lie beside it." required:"" placeholder:"FILE" type:"path"`
}

// Help shows examples.
func (newCmd) Help() string {
	return `The name is for commands and the directory; the code name in campaign.yaml is what others see.

Copies campaign.yaml, the logos that it names and the starting letters to DIR/campaigns/CAMPAIGN. Edit them there: check, proof and approve use only these. The README explains the keys; art34 sample writes a complete example.

Example:

    art34 new muguet --file campaign.yaml`
}

// Run starts a draft campaign.
func (c newCmd) Run(ctx context.Context, a *app) error {
	h, err := a.found(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	campaign, err := h.newCampaign(ctx, c.Campaign, c.File)
	if err != nil {
		return err
	}
	path := a.folder(campaign.Name).path
	return a.answer(map[string]any{"campaign": campaign.Name, "state": campaign.State, "folder": path}, func(w io.Writer) {
		fmt.Fprintf(w, "%s is a draft. Its letters: %s\n", campaign.Name, filepath.Join(path, lettersDir))
		fmt.Fprintf(w, "Next: art34 import %s --customers FILE --impact FILE\n", campaign.Name)
	})
}

// newCampaign makes the folder of a campaign, its row in the ledger and its keys.
func (h *house) newCampaign(ctx context.Context, name, file string) (pipeline.Campaign, error) {
	if !campaignName.MatchString(name) {
		return pipeline.Campaign{}, refuse("usage", fmt.Sprintf("%q cannot be the name of a campaign", name), nameRule)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return pipeline.Campaign{}, refuse("campaign-file", "the campaign file cannot be read: "+err.Error(), "name it with --file; art34 sample --out sample writes an example, sample/campaign.yaml")
	}
	spec, err := parseSpec(file, data)
	if err != nil {
		return pipeline.Campaign{}, err
	}
	if _, err := h.ledger.Campaign(ctx, name); !errors.Is(err, pipeline.ErrNotFound) {
		if err == nil {
			err = refuse("exists", "there is a campaign "+name+" already", "choose another name")
		}
		return pipeline.Campaign{}, err
	}
	embargo, err := h.firstEmbargo(ctx, spec)
	if err != nil {
		return pipeline.Campaign{}, err
	}
	if err := h.folder(name).create(data, spec, filepath.Dir(file)); err != nil {
		return pipeline.Campaign{}, err
	}
	campaign, err := h.ledger.CreateCampaign(ctx, pipeline.Campaign{
		Name: name, CodeName: spec.CodeName, Kind: spec.Kind, State: pipeline.Draft, Email: spec.Email, CreatedAt: h.clock.Now(),
	})
	if err != nil {
		return campaign, err
	}
	if err := h.begin(ctx, campaign, embargo); err != nil {
		return campaign, err
	}
	if _, err := h.keys.Campaign(campaign.ID); err != nil {
		return campaign, err
	}
	return campaign, h.ledger.Append(ctx, h.audit(campaign.ID, "new", "", "code name "+campaign.CodeName))
}

// create makes the folder of a campaign, whole or not at all.
func (f folder) create(campaignYAML []byte, spec *pipeline.Spec, beside string) error {
	if _, err := os.Stat(f.path); err == nil {
		return refuse("exists", "the folder "+f.path+" is there already, of a campaign that the ledger does not know", "move it away")
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(filepath.Dir(f.path), ".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	if err := os.WriteFile(filepath.Join(temp, specFile), campaignYAML, 0o600); err != nil {
		return err
	}
	if err := copyFS(filepath.Join(temp, lettersDir), templates.Letters()); err != nil {
		return err
	}
	source, err := os.OpenRoot(beside)
	if err != nil {
		return err
	}
	defer source.Close()
	for _, s := range spec.Senders {
		if s.Logo == "" {
			continue
		}
		logo, err := readLimited(source, s.Logo)
		if err != nil {
			return refuse("logo-missing", "the logo "+s.Logo+", which the campaign file names, cannot be taken from beside it: "+logoFault(err), "put it into "+beside+", or leave logo empty")
		}
		if err := os.WriteFile(filepath.Join(temp, s.Logo), logo, 0o600); err != nil {
			return err
		}
	}
	return os.Rename(temp, f.path)
}

// logoFault says why a logo cannot be read, of a file that is not in a folder yet.
func logoFault(err error) string {
	if pipeline.ErrorCode(err) == "campaign-file-missing" {
		return "it is not there"
	}
	return firstLine(err)
}

// copyFS copies the files of one directory.
func copyFS(to string, from fs.FS) error {
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	return fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), data, 0o600)
	})
}
