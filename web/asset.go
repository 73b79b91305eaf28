package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/labstack/echo/v4"
)

//go:embed assets/*
var assetFiles embed.FS

// file is one of our own files as it is served. Its name holds a digest of its content, so that it can be kept for ever.
type file struct {
	name    string
	kind    string
	content []byte
}

// assets are all files, by the name that templates use and by the name under which they are served.
var assets, served = readAssets()

func readAssets() (byName, byServed map[string]file) {
	byName, byServed = map[string]file{}, map[string]file{}
	entries, err := fs.ReadDir(assetFiles, "assets")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	for _, e := range entries {
		content, err := fs.ReadFile(assetFiles, "assets/"+e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(content)
		kind := path.Ext(e.Name())
		f := file{
			name: strings.TrimSuffix(e.Name(), kind) + "." + hex.EncodeToString(sum[:6]) + kind,
			kind: mime.TypeByExtension(kind), content: content,
		}
		byName[e.Name()], byServed[f.name] = f, f
	}
	return byName, byServed
}

// assetPath is where a file is served.
func assetPath(name string) (string, error) {
	f, ok := assets[name]
	if !ok {
		return "", fmt.Errorf("there is no file %q in assets", name)
	}
	return "/assets/" + f.name, nil
}

// asset serves one file, to anybody.
func (w *Web) asset(c echo.Context) error {
	f, ok := served[c.Param("name")]
	if !ok {
		return w.fail(c, visitor{}, &refusal{http.StatusNotFound, "Not here", "There is no such file."})
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	return c.Blob(http.StatusOK, f.kind, f.content)
}
