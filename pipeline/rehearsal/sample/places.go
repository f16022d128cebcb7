package sample

// place is a town with its postcode.
type place struct{ postcode, city string }

func frenchPlaces() []place {
	return []place{
		{"75001", "Paris"}, {"75011", "Paris"}, {"75015", "Paris"}, {"75018", "Paris"}, {"75020", "Paris"}, {"69001", "Lyon"}, {"69003", "Lyon"}, {"69007", "Lyon"},
		{"13001", "Marseille"}, {"13008", "Marseille"}, {"13013", "Marseille"}, {"31000", "Toulouse"}, {"06000", "Nice"}, {"06400", "Cannes"}, {"06600", "Antibes"},
		{"44000", "Nantes"}, {"44600", "Saint-Nazaire"}, {"34000", "Montpellier"}, {"67000", "Strasbourg"}, {"33000", "Bordeaux"}, {"59000", "Lille"}, {"59100", "Roubaix"},
		{"35000", "Rennes"}, {"35400", "Saint-Malo"}, {"51100", "Reims"}, {"42000", "Saint-Étienne"}, {"83000", "Toulon"}, {"38000", "Grenoble"}, {"21000", "Dijon"},
		{"49000", "Angers"}, {"30000", "Nîmes"}, {"69100", "Villeurbanne"}, {"72000", "Le Mans"}, {"63000", "Clermont-Ferrand"}, {"13100", "Aix-en-Provence"},
		{"29200", "Brest"}, {"87000", "Limoges"}, {"37000", "Tours"}, {"80000", "Amiens"}, {"66000", "Perpignan"}, {"57000", "Metz"}, {"25000", "Besançon"},
		{"45000", "Orléans"}, {"68100", "Mulhouse"}, {"76000", "Rouen"}, {"14000", "Caen"}, {"54000", "Nancy"}, {"93100", "Montreuil"}, {"93200", "Saint-Denis"},
		{"95100", "Argenteuil"}, {"94000", "Créteil"}, {"92000", "Nanterre"}, {"92100", "Boulogne-Billancourt"}, {"78000", "Versailles"}, {"91000", "Évry-Courcouronnes"},
		{"77000", "Melun"}, {"84000", "Avignon"}, {"86000", "Poitiers"}, {"64000", "Pau"}, {"64100", "Bayonne"}, {"17000", "La Rochelle"}, {"79000", "Niort"}, {"16000", "Angoulême"},
		{"18000", "Bourges"}, {"36000", "Châteauroux"}, {"41000", "Blois"}, {"28000", "Chartres"}, {"27000", "Évreux"}, {"50100", "Cherbourg-en-Cotentin"}, {"22000", "Saint-Brieuc"},
		{"56000", "Vannes"}, {"56100", "Lorient"}, {"29000", "Quimper"}, {"53000", "Laval"}, {"85000", "La Roche-sur-Yon"}, {"24000", "Périgueux"}, {"47000", "Agen"}, {"82000", "Montauban"},
		{"81000", "Albi"}, {"12000", "Rodez"}, {"46000", "Cahors"}, {"15000", "Aurillac"}, {"19000", "Tulle"}, {"23000", "Guéret"}, {"03000", "Moulins"}, {"58000", "Nevers"},
		{"89000", "Auxerre"}, {"10000", "Troyes"}, {"08000", "Charleville-Mézières"}, {"55000", "Bar-le-Duc"}, {"88000", "Épinal"}, {"70000", "Vesoul"}, {"90000", "Belfort"},
		{"39000", "Lons-le-Saunier"}, {"71000", "Mâcon"}, {"01000", "Bourg-en-Bresse"}, {"74000", "Annecy"}, {"73000", "Chambéry"}, {"05000", "Gap"}, {"04000", "Digne-les-Bains"},
		{"26000", "Valence"}, {"07000", "Privas"}, {"43000", "Le Puy-en-Velay"}, {"48000", "Mende"}, {"11000", "Carcassonne"}, {"09000", "Foix"}, {"65000", "Tarbes"}, {"32000", "Auch"},
		{"40000", "Mont-de-Marsan"}, {"20000", "Ajaccio"}, {"20200", "Bastia"}, {"02000", "Laon"}, {"60000", "Beauvais"}, {"62000", "Arras"}, {"62100", "Calais"}, {"61000", "Alençon"},
		{"52000", "Chaumont"}, {"97100", "Basse-Terre"}, {"97200", "Fort-de-France"}, {"97300", "Cayenne"}, {"97400", "Saint-Denis"}, {"97600", "Mamoudzou"},
	}
}

func companyPlaces() []place {
	return []place{{"92042", "Paris La Défense Cedex"}, {"69422", "Lyon Cedex 03"}, {"31036", "Toulouse Cedex 1"}, {"44036", "Nantes Cedex 1"}, {"59041", "Lille Cedex"}, {"75382", "Paris Cedex 08"}}
}

func streets() []string {
	return []string{
		"rue de la République", "rue Victor Hugo", "avenue Jean Jaurès", "place de la Mairie", "rue des Écoles", "rue Pasteur", "boulevard Gambetta", "rue du Moulin", "chemin des Vignes",
		"rue de l'Église", "impasse des Lilas", "allée des Tilleuls", "rue Jules Ferry", "avenue de la Gare", "rue du Général Leclerc", "cours Lafayette", "quai Voltaire", "rue Saint-Martin",
		"rue du 8 Mai 1945", "square des Acacias", "route de Bordeaux", "rue d'Alésia", "rue Émile Zola", "rue des Frères Lumière", "rue Anatole France", "montée de la Croix-Rousse",
		"rue du Faubourg Saint-Antoine", "rue Georges Clemenceau", "rue de Bretagne", "résidence du Parc",
	}
}

// abroad is a country with a few of its towns and streets.
type abroad struct {
	country string
	locale  string
	places  []place
	streets []string // with %d for the number
}

func abroads() []abroad {
	return []abroad{
		{"BE", "fr", []place{{"1000", "Bruxelles"}, {"4000", "Liège"}, {"5000", "Namur"}}, []string{"Rue Neuve %d", "Avenue Louise %d", "Rue de Fer %d"}},
		{"DE", "en", []place{{"10117", "Berlin"}, {"80331", "München"}, {"50667", "Köln"}}, []string{"Hauptstraße %d", "Goethestraße %d", "Am Markt %d"}},
		{"GB", "en", []place{{"SW1A 2AA", "London"}, {"M1 1AE", "Manchester"}, {"EH1 1YZ", "Edinburgh"}}, []string{"%d High Street", "%d Station Road", "%d Church Lane"}},
		{"ES", "en", []place{{"28013", "Madrid"}, {"08002", "Barcelona"}}, []string{"Calle Mayor %d", "Carrer de Ferran %d"}},
		{"CH", "fr", []place{{"1201", "Genève"}, {"1003", "Lausanne"}}, []string{"Rue du Rhône %d", "Rue de Bourg %d"}},
		{"US", "en", []place{{"NY 10001", "New York"}, {"CA 94103", "San Francisco"}}, []string{"%d Main Street", "%d Market Street"}},
		{"IT", "en", []place{{"00184", "Roma"}, {"20121", "Milano"}}, []string{"Via Roma %d", "Via Garibaldi %d"}},
		{"PT", "en", []place{{"1100-148", "Lisboa"}, {"4000-322", "Porto"}}, []string{"Rua Augusta %d", "Rua das Flores %d"}},
		{"MC", "fr", []place{{"98000", "Monaco"}}, []string{"%d boulevard des Moulins", "%d rue Grimaldi"}},
		{"LU", "fr", []place{{"1855", "Luxembourg"}}, []string{"%d avenue de la Liberté"}},
	}
}
