package postal

// Box is a rectangle on the sheet in millimetres from its top left corner.
type Box struct {
	X, Y, W, H float64
}

// Profile is the geometry of an envelope and of the letter that goes into it.
type Profile struct {
	Name string `yaml:"name"`
}

// Shipped returns the names of the profiles that come with the program.
func Shipped() []string { panic("postal: not built yet") }

// ParseProfiles reads profiles from YAML and validates them.
func ParseProfiles(name string, data []byte) ([]Profile, error) { panic("postal: not built yet") }
