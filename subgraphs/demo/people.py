"""Facts of the people who buy in the demo shop: science remembers most of the names, the mail does not reach them."""

from subgraphs.demo.model import Address, Customer

# Identifier, name, street, postal code, city, country. Ada comes first: she is the customer of the examples.
_PEOPLE = """
ada          | Ada Lovelace             | 12 St James's Square        | SW1Y 4LB | London      | GB
alan         | Alan Turing              | 43 Adlington Road           | SK9 2BJ  | Wilmslow    | GB
alessandro   | Alessandro Volta         | Via Volta 62                | 22100    | Como        | IT
alfred       | Alfred Wegener           | Halmhuberstraße 5           | 8010     | Graz        | AT
anders       | Anders Celsius           | Svartbäcksgatan 9           | 753 20   | Uppsala     | SE
annie        | Annie Easley             | Avenue de la Gare 18        | 1003     | Lausanne    | CH
antoine      | Antoine Lavoisier        | Rue Neuve des Bons 7        | 75008    | Paris       | FR
barbara      | Barbara McClintock       | Herengracht 201             | 1016 BE  | Amsterdam   | NL
beatrix      | Beatrix Potter           | Hill Top Lane 2             | LA22 0LF | Hawkshead   | GB
bernhard     | Bernhard Riemann         | Weender Straße 34           | 37073    | Göttingen   | DE
blaise       | Blaise Pascal            | Rue des Gras 11             | 63000    | Clermont    | FR
carl         | Carl Friedrich Gauss     | Wilhelmstraße 30            | 38100    | Braunschweig| DE
caroline     | Caroline Herschel        | Marktstraße 52              | 30159    | Hannover    | DE
cecilia      | Cecilia Payne            | Meadow Walk 4               | CB3 9AD  | Cambridge   | GB
charles      | Charles Babbage          | 1 Dorset Street             | W1U 4EG  | London      | GB
christiaan   | Christiaan Huygens       | Westeinde 46                | 2275 AE  | Voorburg    | NL
clara        | Clara Immerwahr          | ul. Świdnicka 21            | 50-066   | Wrocław     | PL
daniel       | Daniel Bernoulli         | Petersgraben 31             | 4051     | Basel       | CH
dorothy      | Dorothy Hodgkin          | Woodstock Road 94           | OX2 7NE  | Oxford      | GB
edith        | Edith Clarke             | Patrick Street 77           | T12 W8KP | Cork        | IE
elena        | Elena Cornaro Piscopia   | Via Cesarotti 18            | 35123    | Padova      | IT
emilie       | Émilie du Châtelet       | Rue du Bailly 6             | 54000    | Nancy       | FR
emmy         | Emmy Noether             | Nürnberger Straße 32        | 91052    | Erlangen    | DE
ernst        | Ernst Mach               | Landstraßer Gasse 14        | 1030     | Wien        | AT
evariste     | Évariste Galois          | Grande Rue 54               | 92340    | Bourg       | FR
florence     | Florence Nightingale     | 10 South Street             | W1K 1DE  | London      | GB
friedrich    | Friedrich Bessel         | Simeonsplatz 3              | 32423    | Minden      | DE
galileo      | Galileo Galilei          | Costa San Giorgio 19        | 50125    | Firenze     | IT
george       | George Boole             | Grenville Place 5           | T12 HX4R | Cork        | IE
gerty        | Gerty Cori               | Petrská 29                  | 110 00   | Praha       | CZ
gottfried    | Gottfried Leibniz        | Schmiedestraße 10           | 30159    | Hannover    | DE
gregor       | Gregor Mendel            | Mendlovo náměstí 1          | 603 00   | Brno        | CZ
hedy         | Hedy Lamarr              | Peter-Jordan-Straße 12      | 1190     | Wien        | AT
heinrich     | Heinrich Hertz           | Poststraße 20               | 20354    | Hamburg     | DE
hypatia      | Hypatia Theonos          | Odos Ermou 88               | 105 54   | Athina      | GR
ida          | Ida Noddack              | Niederstraße 15             | 46483    | Wesel       | DE
inge         | Inge Lehmann             | Kastelsvej 22               | 2100     | København   | DK
irene        | Irène Joliot-Curie       | Avenue Le Notre 76          | 92330    | Sceaux      | FR
jean         | Jean Bartik              | Rue Haute 140               | 1000     | Bruxelles   | BE
johannes     | Johannes Kepler          | Keplerstraße 5              | 93047    | Regensburg  | DE
joseph       | Joseph Fourier           | Rue de Paris 27             | 89000    | Auxerre     | FR
karen        | Karen Spärck Jones       | Willow Lane 13              | CB24 6ZH | Cambridge   | GB
laura        | Laura Bassi              | Via Barberia 23             | 40123    | Bologna     | IT
leonhard     | Leonhard Euler           | Riehentorstrasse 8          | 4058     | Basel       | CH
lise         | Lise Meitner             | Thielallee 63               | 14195    | Berlin      | DE
maria        | Maria Gaetana Agnesi     | Via Pantano 1               | 20122    | Milano      | IT
marie        | Marie Skłodowska Curie   | ul. Freta 16                | 00-227   | Warszawa    | PL
mary         | Mary Somerville          | Seaforth Terrace 9          | EH15 1DA | Edinburgh   | GB
max          | Max Planck               | Wangenheimstraße 21         | 14193    | Berlin      | DE
niels        | Niels Bohr               | Blegdamsvej 17              | 2100     | København   | DK
nicolaus     | Nicolaus Copernicus      | ul. Kopernika 15            | 87-100   | Toruń       | PL
pierre       | Pierre de Fermat         | Rue de la Bourse 3          | 31000    | Toulouse    | FR
rosalind     | Rosalind Franklin        | Drayton Gardens 22          | SW10 9SA | London      | GB
rozsa        | Rózsa Péter              | Ráday utca 41               | 1092     | Budapest    | HU
santiago     | Santiago Ramón y Cajal   | Calle de Atocha 64          | 28012    | Madrid      | ES
sofja        | Sofja Kowalewskaja       | Sturegatan 56               | 114 36   | Stockholm   | SE
sophie       | Sophie Germain           | Rue de Savoie 13            | 75006    | Paris       | FR
tycho        | Tycho Brahe              | Adelgade 7                  | 1304     | København   | DK
werner       | Werner Heisenberg        | Kaulbachstraße 40           | 80539    | München     | DE
zuse         | Konrad Zuse              | Wiesenstraße 10             | 36088    | Hünfeld     | DE
"""


def customers() -> tuple[Customer, ...]:
    """Return the customers of the shop, `cus_ada` first; e-mail addresses are of a domain that cannot receive mail."""
    return tuple(_customer(line) for line in _PEOPLE.strip().splitlines())


def _customer(line: str) -> Customer:
    key, name, street, postal_code, city, country_code = (cell.strip() for cell in line.split("|"))
    address = Address(name, street, None, city, postal_code, country_code)
    return Customer(f"cus_{key}", name, f"{key}@example.com", address)
