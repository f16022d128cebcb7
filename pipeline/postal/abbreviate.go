package postal

import (
	"strings"
	"unicode/utf8"
)

// Limits of NF Z10-011, in characters.
const (
	maxLine   = 38
	maxStreet = 32 // of the street line; above it the norm abbreviates
	maxLines  = 6  // 7 abroad, with the country
)

// Abbreviations of NF Z10-011 (annex) and of the postal file of streets, in the
// order in which they are applied. They are applied to a line that is too long,
// and to no other: a street name in full reads better.
var (
	streetWords = [][2]string{
		{"ALLEE", "ALL"}, {"ALLEES", "ALL"}, {"AVENUE", "AV"}, {"BOULEVARD", "BD"}, {"CARREFOUR", "CAR"},
		{"CENTRE", "CTRE"}, {"CHAUSSEE", "CHS"}, {"CHEMIN", "CHE"}, {"COURS", "CRS"}, {"DOMAINE", "DOM"},
		{"ESPLANADE", "ESP"}, {"FAUBOURG", "FG"}, {"GRANDE RUE", "GR"}, {"HAMEAU", "HAM"}, {"IMPASSE", "IMP"},
		{"LIEU DIT", "LD"}, {"LOTISSEMENT", "LOT"}, {"MONTEE", "MTE"}, {"PARVIS", "PRV"}, {"PASSAGE", "PAS"},
		{"PLACE", "PL"}, {"PROMENADE", "PROM"}, {"QUARTIER", "QUA"}, {"RESIDENCE", "RES"}, {"ROND POINT", "RPT"},
		{"ROUTE", "RTE"}, {"SENTIER", "SEN"}, {"SQUARE", "SQ"}, {"TERRASSE", "TSSE"}, {"TRAVERSE", "TRA"},
		{"VENELLE", "VEN"}, {"VILLAGE", "VLGE"},
		{"ZONE D AMENAGEMENT CONCERTE", "ZAC"}, {"ZONE D ACTIVITES", "ZA"}, {"ZONE D ACTIVITE", "ZA"}, {"ZONE ARTISANALE", "ZA"},
		{"ZONE INDUSTRIELLE", "ZI"},
	}
	insideWords = [][2]string{
		{"APPARTEMENT", "APT"}, {"BATIMENT", "BAT"}, {"CENTRE COMMERCIAL", "CCAL"}, {"COULOIR", "CLR"}, {"ENTREE", "ENT"},
		{"ESCALIER", "ESC"}, {"ETAGE", "ETG"}, {"GROUPE", "GPE"}, {"IMMEUBLE", "IMM"}, {"LOGEMENT", "LGT"},
		{"PAVILLON", "PAV"}, {"PORTE", "PTE"}, {"RESIDENCE", "RES"}, {"REZ DE CHAUSSEE", "RDC"},
	}
	titleWords = [][2]string{
		{"ADJUDANT", "ADJ"}, {"AMIRAL", "AML"}, {"CAPITAINE", "CNE"}, {"CARDINAL", "CAL"}, {"COLONEL", "CNL"},
		{"COMMANDANT", "CDT"}, {"DOCTEUR", "DR"}, {"GENERAL", "GAL"}, {"LIEUTENANT", "LT"}, {"MADAME", "MME"},
		{"MADEMOISELLE", "MLLE"}, {"MAITRE", "ME"}, {"MARECHAL", "MAL"}, {"MONSEIGNEUR", "MGR"}, {"MONSIEUR", "M"},
		{"PRESIDENT", "PDT"}, {"PROFESSEUR", "PR"}, {"SAINTE", "STE"}, {"SAINT", "ST"}, {"NOTRE DAME", "ND"},
		{"GRANDE", "GDE"}, {"GRAND", "GD"}, {"PETITE", "PTE"}, {"PETIT", "PT"}, {"VIEILLE", "VLE"}, {"VIEUX", "VX"},
		{"NOUVELLE", "NVE"}, {"NOUVEAU", "NV"}, {"HAUTE", "HTE"}, {"BASSE", "BSE"}, {"NATIONALE", "NALE"}, {"DEPARTEMENTALE", "DEPT"},
	}
	numberWords  = [][2]string{{"BIS", "B"}, {"TER", "T"}, {"QUATER", "Q"}}
	companyWords = [][2]string{
		{"SOCIETE", "STE"}, {"COMPAGNIE", "CIE"}, {"ETABLISSEMENTS", "ETS"}, {"ETABLISSEMENT", "ETS"}, {"ASSOCIATION", "ASSOC"},
		{"DEPARTEMENT", "DEPT"}, {"DIRECTION", "DIR"}, {"ENTREPRISE", "ENT"}, {"FRERES", "FRES"}, {"GENERALE", "GALE"},
		{"GROUPE", "GPE"}, {"INSTITUT", "INST"}, {"INTERNATIONALE", "INTERN"}, {"INTERNATIONAL", "INTERN"}, {"MINISTERE", "MIN"},
		{"NATIONALE", "NALE"}, {"NATIONAL", "NAL"}, {"REGIONALE", "REGION"}, {"SERVICE", "SCE"}, {"SYNDICAT", "SYND"}, {"UNIVERSITE", "UNIV"},
	}
)

// shorten abbreviates a line word by word until it has at most limit characters.
// What is still too long is returned as it is: nothing is cut.
func shorten(line string, limit int, tables ...[][2]string) string {
	for _, table := range tables {
		for _, w := range table {
			if utf8.RuneCountInString(line) <= limit {
				return line
			}
			line = swapWord(line, w[0], w[1])
		}
	}
	return line
}

// swapWord replaces a whole word (or several).
func swapWord(line, from, to string) string {
	padded := " " + line + " "
	for strings.Contains(padded, " "+from+" ") {
		next := strings.Replace(padded, " "+from+" ", " "+to+" ", 1)
		if next == padded {
			break
		}
		padded = next
	}
	return strings.TrimSpace(padded)
}

// shortenStreet abbreviates a street line longer than maxStreet; what is between
// maxStreet and maxLine after that still fits its line.
func shortenStreet(line string) string {
	return shorten(line, maxStreet, numberWords, streetWords, titleWords, insideWords)
}

// shortenName abbreviates the name of a person: the first names but one to
// initials, then that one, then the title goes.
func shortenName(title string, first []string, last string) string {
	join := func(title string, first []string) string {
		return strings.Join(strings.Fields(title+" "+strings.Join(first, " ")+" "+last), " ")
	}
	first = append([]string(nil), first...)
	line := join(title, first)
	for i := len(first) - 1; i >= 0 && utf8.RuneCountInString(line) > maxLine; i-- {
		first[i] = initial(first[i])
		line = join(title, first)
	}
	if utf8.RuneCountInString(line) > maxLine {
		line = join("", first)
	}
	return line
}

// initial is the initial of a first name: J for JEAN, JP for JEAN-PIERRE.
func initial(name string) string {
	out := ""
	for _, part := range strings.Split(name, "-") {
		if part != "" {
			out += part[:1]
		}
	}
	return out
}
