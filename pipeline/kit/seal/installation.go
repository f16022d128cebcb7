package seal

// installation is the number under which the key file keeps the keys of the
// installation itself. Campaigns are counted from 1.
const installation = 0

// Installation returns the keys of the installation, which belong to no campaign:
// they seal what arrived before it is known whom it is about. They are created if
// there are none, and are rotated with all others.
func (k *Keyring) Installation() (*Keys, error) { return k.Campaign(installation) }
