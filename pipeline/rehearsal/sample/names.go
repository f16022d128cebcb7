package sample

func women() []string {
	return []string{"Marie", "Nathalie", "Isabelle", "Sylvie", "Catherine", "Camille", "Léa", "Chloé", "Manon", "Inès", "Jeanne", "Louise", "Anne-Sophie", "Fatima", "Aïcha", "Élodie", "Céline",
		"Aurélie", "Julie", "Mélanie", "Françoise", "Monique", "Hélène", "Zoé", "Thi Mai", "Agnieszka", "Noémie", "Solène", "Maëlys", "Marie-Claire"}
}

func men() []string {
	return []string{"Jean", "Pierre", "Michel", "Philippe", "Alain", "Nicolas", "Thomas", "Lucas", "Hugo", "Gabriel", "Jean-Pierre", "Mohamed", "Karim", "François", "Jérôme", "Sébastien", "Rémi",
		"Loïc", "Gaël", "Théo", "Antoine", "Mathieu", "Benoît", "Étienne", "Yann", "Kévin", "Olivier", "Bruno", "Guillaume", "Raphaël"}
}

func lastNames() []string {
	return []string{"Martin", "Bernard", "Dubois", "Thomas", "Robert", "Richard", "Petit", "Durand", "Leroy", "Moreau", "Simon", "Laurent", "Lefebvre", "Michel", "Garcia", "David", "Bertrand", "Roux",
		"Vincent", "Fournier", "Morel", "Girard", "André", "Lefèvre", "Mercier", "Dupont", "Lambert", "Bonnet", "François", "Martinez", "Legrand", "Garnier", "Faure", "Rousseau", "Blanc", "Guérin",
		"Muller", "Henry", "Roussel", "Nicolas", "Perrin", "Morin", "Mathieu", "Clément", "Gauthier", "Dumont", "Lopez", "Fontaine", "Chevalier", "Robin", "Masson", "Sanchez", "Gérard", "Nguyen",
		"Boyer", "Denis", "Lemaire", "Duval", "Joly", "Gautier", "Roger", "Roche", "Roy", "Noël", "Meyer", "Lucas", "Meunier", "Jean", "Pérez", "Marchand", "Dufour", "Blanchard", "Marie", "Barbier",
		"Brun", "Dumas", "Brunet", "Schmitt", "Leroux", "Colas", "Fernandez", "Pierre", "Renard", "Arnaud", "Rolland", "Caron", "Aubert", "Giraud", "Leclerc", "Vidal", "Bourgeois", "Renaud",
		"Lemoine", "Picard", "Gaillard", "Philippe", "Le Gall", "Le Goff", "d'Ormesson", "de La Tour", "Benali", "Traoré", "N'Diaye", "Kowalski", "Œuvrard", "L'Hermitte"}
}

func companies() []string {
	return []string{"Boulangerie Aux Deux Épis", "Garage du Rond-Point SARL", "Cabinet Lemaire & Associés", "Pharmacie de la Gare", "SCI Les Glycines", "Menuiserie Picard", "Transports Rolland SAS",
		"Hôtel du Parc", "Coiffure Solène", "Plomberie Aubert", "Restaurant Le Vieux Moulin", "Ateliers Numériques de l'Ouest"}
}

// awkward are names that have broken programs. They must come through as text.
func awkward() []string {
	return []string{"*O'Neil* <b>", "=HYPERLINK(\"http://evil.example\")", "{{.Customer}}", "[clic](http://evil.example)", "O’Brien", "Nguyễn Thị Hồng", "Łukasiewicz", "# Titre",
		"- liste", "1. liste", "`code`", "Ba\u202ecbad", "M\u00fcller-L\u00fcdenscheidt-Freiherr-von-und-zu-Sonnenschein", "Émoji 😀", "&amp; Fils", "_souligné_", "$(rm -rf)", "' OR 1=1 --", "%s%n", "|pipe|"}
}

// providers are made of real ones, with an ending that can never be delivered to
// (RFC 2606): pipeline.Provider knows them for rehearsals.
func domains() []string {
	return []string{"orange.example", "orange.example", "orange.example", "wanadoo.example", "google.example", "google.example", "google.example", "google.example", "microsoft.example", "microsoft.example",
		"yahoo.example", "sfr.example", "free.example", "free.example", "laposte.example", "bouygues.example", "apple.example", "perso.example", "famille.example", "courriel.example"}
}
