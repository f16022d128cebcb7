package postal

// page is what is printed on one side of a sheet.
type page struct{ ops []op }

// flow places units on pages: on the first in first, then in next. A page ends
// before a unit that does not fit, or earlier where units stay together.
func flow(units []unit, first, next Box) []page {
	var pages []page
	for from := 0; from < len(units); {
		area := next
		if len(pages) == 0 {
			area = first
		}
		to := fill(units, from, area.H)
		pages = append(pages, place(units[from:to], area))
		from = to
	}
	if len(pages) == 0 {
		pages = append(pages, page{})
	}
	return pages
}

// fill returns the end of the page that begins with units[from].
func fill(units []unit, from int, height float64) int {
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
			if !units[end].glue {
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
