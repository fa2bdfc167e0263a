#!/usr/bin/env python3
"""make_demo.py LINES.csv.gz [--daily DAILY.csv] [--check]: derives demo/*.csv from the Online Retail invoice lines.

demo/README.md says what comes out and by which rules; this file is those rules. Amounts are exact decimals from the
text of the input to the text of the output. The same input always gives the same bytes. With --daily the company's
totals are compared with that independently derived file, and with --check nothing is written: the program fails when
the files in demo/ are not what it would write.
"""
import argparse
import collections
import csv
import datetime
import gzip
import io
import pathlib
import sys
from decimal import ROUND_HALF_UP, Decimal

DEMO = pathlib.Path(__file__).resolve().parent.parent / "demo"
FIRST_DAY, LAST_DAY = datetime.date(2010, 12, 1), datetime.date(2011, 12, 9)
MARKETS = 10
CENT = Decimal("0.01")

# Figures in the order of their KPI numbers; step is what targets are rounded to, growth what they ask for.
Figure = collections.namedtuple("Figure", "key name type unit currency decimals aggregation direction step growth description")
FIGURES = [
    Figure("net", "Net revenue", "CURRENCY", "GBP", "GBP", 2, "sum", "higher", Decimal(10), Decimal("1.05"),
           "Invoiced lines less credit notes and adjustments, by the day of the document"),
    Figure("gross", "Gross revenue", "CURRENCY", "GBP", "GBP", 2, "sum", "higher", Decimal(10), Decimal("1.05"),
           "Invoiced lines before credit notes"),
    Figure("invoices", "Invoices", "COUNT", "invoices", "", 0, "sum", "higher", Decimal(1), Decimal("1.05"),
           "Invoices issued"),
    Figure("credits", "Credit notes", "COUNT", "credit notes", "", 0, "sum", "lower", Decimal(1), Decimal("0.95"),
           "Credit notes issued; fewer are better"),
    Figure("customers", "Active customers", "COUNT", "customers a day", "", 1, "avg", "higher", Decimal("0.1"), Decimal("1.05"),
           "Different customers with an invoice on the day; a period shows the mean of its days"),
]
# How the data name a market → how the demo does, where that differs.
COUNTRY_NAMES = {"EIRE": "Ireland"}
TEAMS = [
    ("sales_team_1", "British Isles", "sup-001", {"United Kingdom", "EIRE", "Channel Islands"}),
    ("sales_team_2", "Continental Europe", "sup-002", None),
    ("sales_team_3", "Overseas", "sup-001", {"Australia", "Japan", "USA", "Singapore", "Hong Kong"}),
]
# username, password, employee id, first name, last name, role, supervisor, department
STAFF = [
    ("admin", "admin123", "adm-001", "Ada", "Marsh", "ADMIN", "", "Administration"),
    ("manager", "manager123", "mgr-001", "Martin", "Keller", "MANAGER", "adm-001", "Sales"),
    ("hr", "hr123", "hr-001", "Hanna", "Rowe", "HR", "adm-001", "Human resources"),
    ("supervisor", "supervisor123", "sup-001", "Simon", "Pryor", "SUPERVISOR", "mgr-001", "Sales"),
    ("supervisor2", "", "sup-002", "Sofia", "Lindt", "SUPERVISOR", "mgr-001", "Sales"),
]
# The market managers, largest market first; the first one is the account "employee".
MARKET_MANAGERS = [
    ("employee", "employee123", "Emma", "Ashdown"), ("nvandijk", "", "Nora", "van Dijk"), ("cbyrne", "", "Conor", "Byrne"),
    ("jvogel", "", "Jonas", "Vogel"), ("lmercier", "", "Louise", "Mercier"), ("oparker", "", "Oliver", "Parker"),
    ("rfrei", "", "Regula", "Frei"), ("mvidal", "", "Marta", "Vidal"), ("tpeeters", "", "Thijs", "Peeters"),
    ("asundin", "", "Astrid", "Sundin"),
]
# Of a market's figures, what its manager answers for and with which weight; 30 % stay free for company goals.
WEIGHTS = [("net", 40), ("customers", 20), ("credits", 10)]


class Day:
    """What one group (the company or a market) did on one day."""

    def __init__(self):
        self.net = self.gross = Decimal(0)
        self.invoices, self.credits, self.customers = set(), set(), set()

    def add(self, line, amount):
        kind = line["InvoiceNo"][0]
        self.net += amount
        if kind == "C":
            self.credits.add(line["InvoiceNo"])
        elif kind != "A":  # A: an adjustment of bad debt, which is neither invoice nor credit note
            self.gross += amount
            self.invoices.add(line["InvoiceNo"])
            if line["CustomerID"]:
                self.customers.add(line["CustomerID"])

    def value(self, key):
        value = getattr(self, key)
        return value.quantize(CENT, ROUND_HALF_UP) if isinstance(value, Decimal) else Decimal(len(value))


def read_days(path):
    """{group: {date: Day}}; the company is the group "". Returns the ten largest markets by net revenue as well."""
    days = collections.defaultdict(lambda: collections.defaultdict(Day))
    net = collections.Counter()
    with gzip.open(path, "rb") as packed:
        for line in csv.DictReader(io.TextIOWrapper(packed, encoding="utf-8", newline="")):
            date = line["InvoiceDate"][:10]
            amount = int(line["Quantity"]) * Decimal(line["UnitPrice"])
            for group in ("", line["Country"]):
                days[group][date].add(line, amount)
            net[line["Country"]] += amount
    markets = sorted(net, key=lambda country: (-net[country], country))[:MARKETS]
    return days, markets


def all_dates():
    count = (LAST_DAY - FIRST_DAY).days + 1
    return [(FIRST_DAY + datetime.timedelta(days=i)).isoformat() for i in range(count)]


def compare_with_daily(path, company):
    """The company's figures against a derivation that somebody else made; empty fields there are closed days."""
    columns = {"revenue_net": "net", "revenue_gross": "gross", "invoices": "invoices", "credit_notes": "credits",
               "active_customers": "customers"}
    with open(path, encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    if [row["date"] for row in rows] != all_dates():
        sys.exit(f"{path}: not the days {FIRST_DAY} to {LAST_DAY}")
    for row in rows:
        for column, key in columns.items():
            ours = company[row["date"]].value(key) if row["date"] in company else Decimal(0)
            if ours != Decimal(row[column] or 0):
                sys.exit(f"{path}: {row['date']} {column} is {row[column]}, we have {ours}")


def kpi_rows(markets):
    """(id, figure, country or "") for every KPI: the company's five, then five a market in the order of their size."""
    groups = ["", *markets]
    pairs = [(country, figure) for country in groups for figure in FIGURES]
    return [(f"kpi-{number:03d}", figure, country) for number, (country, figure) in enumerate(pairs, 1)]


def monthly(figure, days, open_dates):
    """{month: figure of the month}, by the KPI's own aggregation over the days the company was open."""
    values = collections.defaultdict(list)
    for date in open_dates:
        values[date[:7]].append(days[date].value(figure.key))
    if figure.aggregation == "avg":
        return {month: sum(v) / len(v) for month, v in values.items()}
    return {month: sum(v) for month, v in values.items()}


def rounded(value, step):
    """To a multiple of step, half up, and never less than one step: a target of nothing is no target."""
    return max((value / step).quantize(Decimal(1), ROUND_HALF_UP) * step, step)


def targets_of(figure, months):
    """The first month's target is what it reached; every other's is growth × mean of the up to three months before."""
    names = sorted(months)
    result = {}
    for index, month in enumerate(names):
        before = [months[m] for m in names[max(0, index - 3):index]]
        wanted = figure.growth * sum(before) / len(before) if before else months[month]
        result[month] = rounded(wanted, figure.step)
    return result


def team_of(country):
    for team, _, _, countries in TEAMS:
        if countries and country in countries:
            return team
    return "sales_team_2"


def lead_of(country):
    return next(lead for team, _, lead, _ in TEAMS if team == team_of(country))


def people(markets):
    rows = [(user, password, employee, first, last, f"{user}@demo.example", role, supervisor, department, "")
            for user, password, employee, first, last, role, supervisor, department in STAFF]
    for number, (country, (user, password, first, last)) in enumerate(zip(markets, MARKET_MANAGERS), 1):
        rows.append((user, password, f"emp-{number:03d}", first, last, f"{user}@demo.example", "EMPLOYEE",
                     lead_of(country), f"Market {COUNTRY_NAMES.get(country, country)}", team_of(country)))
    return rows


def assignments(kpis, markets):
    rows = []
    for number, country in enumerate(markets, 1):
        own = {figure.key: kpi for kpi, figure, group in kpis if group == country}
        for key, weight in WEIGHTS:
            rows.append((own[key], "USER", f"emp-{number:03d}", "OWNER", lead_of(country), weight, FIRST_DAY))
    for team, _, lead, _ in TEAMS:
        for kpi, figure, country in kpis:
            if country and figure.key == "net" and team_of(country) == team:
                rows.append((kpi, "TEAM", team, "CONTRIBUTOR", lead, "", FIRST_DAY))
    return rows


def derive(lines, daily):
    """{file name: text}."""
    days, markets = read_days(lines)
    if daily:
        compare_with_daily(daily, days[""])
    open_dates = [date for date in all_dates() if days[""][date].invoices]
    kpis = kpi_rows(markets)
    kpi_table, values, targets = [], [], []
    for kpi, figure, country in kpis:
        group = days[country]
        wanted = targets_of(figure, monthly(figure, group, open_dates))
        where = COUNTRY_NAMES.get(country, country)
        owner = f"emp-{markets.index(country) + 1:03d}" if country else "mgr-001"
        kpi_table.append((kpi, figure.name + (f", {where}" if where else ""),
                          figure.description + (f"; market {where}" if where else "; all markets"), figure.type, figure.unit,
                          figure.currency, figure.decimals, figure.aggregation, "month", figure.direction,
                          "" if figure.key == "net" else 0, wanted[max(wanted)], "0.8", "0.6",
                          team_of(country) if country else "", owner, where))
        values += [(kpi, date, group[date].value(figure.key)) for date in open_dates]
        targets += [(kpi, "month", f"{month}-01", target) for month, target in sorted(wanted.items())]
    return {
        "company.csv": table("name,time_zone,currency,country,industry",
                             [("Demo Retail Ltd", "Europe/London", "GBP", "United Kingdom", "Online retail of gifts")]),
        "kpis.csv": table("id,name,description,type,unit,currency,decimals,aggregation,period,direction,min_value,target_value,"
                          "warning_threshold,critical_threshold,team,owner,market", kpi_table),
        "values.csv": table("kpi,date,value", values),
        "targets.csv": table("kpi,period,start,target", targets),
        "people.csv": table("username,password,employee_id,first_name,last_name,email,role,supervisor,department,team",
                            people(markets)),
        "teams.csv": table("id,name,lead", [(team, name, lead) for team, name, lead, _ in TEAMS]),
        "assignments.csv": table("kpi,type,target,role,supervisor,weight,effective_date", assignments(kpis, markets)),
    }


def table(header, rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header.split(","))
    writer.writerows(rows)
    return out.getvalue()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lines")
    parser.add_argument("--daily")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    stale = []
    for name, text in derive(options.lines, options.daily).items():
        path = DEMO / name
        if not options.check:
            path.write_text(text, encoding="utf-8", newline="")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(f"demo/{name} is not what tools/make_demo.py derives")
    print("\n".join(stale), end="\n" if stale else "")
    sys.exit(1 if stale else 0)


if __name__ == "__main__":
    main()
