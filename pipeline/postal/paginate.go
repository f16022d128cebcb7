package postal

// page is what is printed on one side of a sheet.
type page struct{ ops []op }

// flow places units on pages: on the first in first, then in next. A page ends
// before a unit that does not fit, or earlier where units stay together. Wishes are
// granted where they cost no page.
func flow(units []unit, first, next Box) []page {
	ends := breaks(units, first, next, true)
	if plain := breaks(units, first, next, false); len(plain) < len(ends) {
		ends = plain
	}
	pages := make([]page, 0, max(1, len(ends)))
	from, area := 0, first
	for _, to := range ends {
		pages = append(pages, place(units[from:to], area))
		from, area = to, next
	}
	if len(pages) == 0 {
		pages = append(pages, page{})
	}
	return pages
}

// breaks returns the end of every page.
func breaks(units []unit, first, next Box, wishes bool) (ends []int) {
	area := first
	for from := 0; from < len(units); area = next {
		from = fill(units, from, area.H, wishes)
		ends = append(ends, from)
	}
	return ends
}

// fill returns the end of the page that begins with units[from]. wishes says
// whether units stay together that only wish to.
func fill(units []unit, from int, height float64, wishes bool) int {
	used := 0.0
	for i := from; i < len(units); i++ {
		u := &units[i]
		if i == from {
			if u.head != nil {
				used += u.head.h
			}
		} else {
			used += u.gap
		}
		used += u.h
		if used <= height+tolerance || i == from {
			continue
		}
		for end := i; end > from; end-- {
			if u := &units[end]; !u.glue && !(wishes && u.wish) {
				return end
			}
		}
		return i // what stays together is taller than a page
	}
	return len(units)
}

// place puts units one below the other, with the ground of notes behind them.
func place(units []unit, area Box) page {
	var ground, ops []op
	y := area.Y
	open := false // the note of the unit above goes on
	for i := range units {
		u := &units[i]
		if i > 0 {
			y += u.gap
		} else if u.head != nil {
			ops = shift(ops, u.head.ops, y)
			y += u.head.h
		}
		if u.bar == nil {
			open = false
		} else {
			if !open || u.gap > 0 && i > 0 {
				ground = append(ground, op{kind: opRect, x: u.bar.X, y: y, w: u.bar.W, grey: 242}, op{kind: opRect, x: u.bar.X, y: y, w: 0.9, grey: 110})
			}
			open = true
			for k := len(ground) - 2; k < len(ground); k++ {
				ground[k].h = y + u.h - ground[k].y
			}
		}
		ops = shift(ops, u.ops, y)
		y += u.h
	}
	return page{ops: append(ground, ops...)}
}

func shift(to, ops []op, y float64) []op {
	for _, o := range ops {
		o.y += y
		to = append(to, o)
	}
	return to
}

// height is what units take on a page of their own.
func height(units []unit) float64 {
	h := 0.0
	for i := range units {
		if i > 0 {
			h += units[i].gap
		}
		h += units[i].h
	}
	return h
}
