package intake

import "fmt"

// Limits bound what an input may be. Zero fields take the defaults.
type Limits struct {
	Field     int   // bytes of one cell
	Row       int   // bytes of one row
	Ratio     int64 // decompressed ÷ compressed bytes of one file, once it is above 16 MiB
	Expanded  int64 // decompressed bytes of one file
	Sheet     int64 // bytes of an XLSX file, unzipped; it is read in memory
	SheetRows int64 // rows of an XLSX sheet
	Contracts int   // of one person; more of them hold the notice
	Records   int   // directory rows of one customer number or person; more of them hold the notice
	Buffer    int   // bytes sorted in memory at a time
}

// DefaultLimits are those of an import that says nothing.
func DefaultLimits() Limits {
	return Limits{
		Field:     16 << 10,
		Row:       256 << 10,
		Ratio:     200,
		Expanded:  16 << 30,
		Sheet:     96 << 20, // about 225 MiB resident while it is read
		SheetRows: 100_000,
		Contracts: 2_000,
		Records:   200,
		Buffer:    16 << 20,
	}
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	for _, x := range []struct{ have, want *int }{
		{&l.Field, &d.Field}, {&l.Row, &d.Row}, {&l.Contracts, &d.Contracts}, {&l.Records, &d.Records}, {&l.Buffer, &d.Buffer},
	} {
		if *x.have <= 0 {
			*x.have = *x.want
		}
	}
	for _, x := range []struct{ have, want *int64 }{
		{&l.Ratio, &d.Ratio}, {&l.Expanded, &d.Expanded}, {&l.Sheet, &d.Sheet}, {&l.SheetRows, &d.SheetRows},
	} {
		if *x.have <= 0 {
			*x.have = *x.want
		}
	}
	l.Row = max(l.Row, l.Field)
	return l
}

// size says a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
