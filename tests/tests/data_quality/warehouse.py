"""Makes a warehouse with planted defects in a file of SQLite, and says what each check has to find.

Arguments: the file, and the number by which the 205,000 rows are divided. Prints a JSON object: for each check its status, what it
measures (value, or count and of), and the keys of all failing rows. All of it comes from SQL of this script, not from obs.
"""

import datetime
import json
import re
import sqlite3
import sys

file, scale = sys.argv[1], int(sys.argv[2])
customers, orders, payments, products, events = (n // scale for n in (20_000, 100_000, 80_000, 1_000, 4_000))
now = datetime.datetime.now(datetime.timezone.utc)
base = datetime.date(2025, 1, 1)


def day(number):
    return (base + datetime.timedelta(days=number)).isoformat()


def customer(i):
    email = f"user{i}@example.org"
    if i % 997 == 3:
        email = None
    elif i % 1500 == 7:
        email = f"user{i - 1}@example.org"
    elif i % 1500 == 17:
        email = f"USER{i - 1}@example.org"
    elif i % 811 == 5:
        email = f"no-address-{i}"
    name = "" if i % 2300 == 9 else f"Name {i}"
    country = "XX" if i % 2001 == 5 else ("DE", "FR", "US")[i % 3]
    born = "2150-01-01" if i % 3011 == 8 else f"{1950 + i % 50}-0{1 + i % 9}-1{i % 10}"
    score = 1000.5 if i % 777 == 0 else (i % 1000) / 8
    password = "short" if i % 1900 == 4 else f"hunter2-{i}"
    updated = (now - datetime.timedelta(hours=7, seconds=i)).strftime("%Y-%m-%d %H:%M:%S")
    return (i, email, name, country, born, score, password, updated)


def order(i):
    market, currency = ("DE", "FR", "US")[i % 3], ("EUR", "EUR", "USD")[i % 3]
    if i % 2999 == 4:
        currency = "GBP"
    net = float(i % 500 + 1)
    amount = net * 1.25 + (1 if i % 3001 == 2 else 0)
    if i % 4999 == 1:
        amount = -5.0
    ordered = i % 300
    shipped = ordered - 1 if i % 2503 == 6 else ordered + 2
    return (
        i,
        9_000_000 + i if i % 5003 == 0 else i % customers + 1,
        None if i % 7001 == 11 else i % products + 1,
        net,
        net * 0.25,
        amount,
        market,
        currency,
        "lost" if i % 10007 == 4 else ("new", "paid", "shipped")[i % 3],
        day(ordered),
        day(shipped),
        None if i % 10 == 0 else day(shipped + 1),
    )


def payment(i):
    amount = 10 + i % 90
    method = "barter" if i % 6007 == 2 else ("card", "cash", "wire")[i % 3]
    text = "n/a" if i % 8009 == 1 else str(amount)
    return (i, i - 1 if i % 4001 == 3 else i, float(amount), text, method)


def product(i):
    return (i, f"p-{i}" if i % 333 == 1 else f"P{i:05d}", float(1 + i % 100))


def event(i):
    number = i + 3 * (i // 1000)
    meter = i * 2.0 - (500 if i % 900 == 1 and i > 1 else 0)
    region = ("north", "south", "east")[i % 3]
    value = None if i % 30 == 2 else i / 4
    return (i, number, day(i // 10 + 2 * (i // 1500)), meter, region, value)


tables = {
    "customers": ("id INTEGER, email TEXT, name TEXT, country TEXT, born DATE, score REAL, password TEXT, updated TIMESTAMP", customer, customers),
    "orders": (
        "id INTEGER, customer_id INTEGER, product_id INTEGER, net REAL, tax REAL, amount REAL, market TEXT, currency TEXT, status TEXT,"
        " ordered DATE, shipped DATE, received DATE",
        order,
        orders,
    ),
    "payments": ("id INTEGER, order_id INTEGER, amount REAL, amount_text TEXT, method TEXT", payment, payments),
    "products": ("id INTEGER, code TEXT, price REAL", product, products),
    "events": ("id INTEGER, number INTEGER, day DATE, meter REAL, region TEXT, value REAL", event, events),
}
db = sqlite3.connect(file)
for table, (columns, row, count) in tables.items():
    db.execute(f"CREATE TABLE {table} ({columns})")
    places = ", ".join("?" for _ in columns.split(","))
    db.executemany(f"INSERT INTO {table} VALUES ({places})", map(row, range(1, count + 1)))
db.commit()
total = sum(db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in tables)
assert total == 205_000 // scale, total

expected = {}


def one(sql):
    return db.execute(sql).fetchone()[0]


def add(check, status, value=None, count=None, of=None, keys=None):
    if count is not None and of is not None:
        value = count / of if of else None
    expected[check] = {"status": status, "value": value, "count": count, "of": of, "keys": keys and sorted(keys)}


def part(check, table, failing, present="1", fails=None, warns=None, share=None, warn_share=None, status=None):
    """The rows of those that are present which fail, judged by the limits that the check has."""
    of = one(f"SELECT COUNT(*) FROM {table} WHERE {present}")
    keys = [str(key) for (key,) in db.execute(f"SELECT id FROM {table} WHERE ({present}) AND ({failing})")]
    count = len(keys)
    verdict = "passed"
    if (warns is not None and count >= warns) or (warn_share is not None and count / of >= warn_share):
        verdict = "warned"
    if (fails is not None and count >= fails) or (share is not None and count / of >= share):
        verdict = "failed"
    assert scale > 1 or status is None or status == verdict, (check, verdict, count, of)
    add(check, verdict, count=count, of=of, keys=keys)


def number(check, status, value):
    add(check, status, value=value)


number("customers_rows", "passed", customers)
part("customers_email_null", "customers", "email IS NULL", share=0.0005, status="failed")
part("customers_name_null", "customers", "name IS NULL", fails=1, status="passed")
repeated = "SELECT SUM(n - 1) FROM (SELECT COUNT(*) AS n FROM customers WHERE {0} IS NOT NULL GROUP BY {0})"
of = one("SELECT COUNT(email) FROM customers")
add("customers_id_unique", "passed", count=one(repeated.format("id")), of=customers)
add("customers_email_unique", "failed", count=one(repeated.format("email")), of=of)
add("customers_email_unique_any_case", "warned", count=one(repeated.format("LOWER(email)")), of=of)
part("customers_country", "customers", "country NOT IN ('DE', 'FR', 'US')", "country IS NOT NULL", fails=1, status="failed")
part("customers_country_rejected", "customers", "country = 'XX'", fails=1_000_000, status="passed")
add("customers_countries_required", "passed", count=0, of=3)
part("customers_score", "customers", "score < 0 OR score > 125", share=0.01, warn_share=0.001, status="warned")
part("customers_born", "customers", "born > '2026-01-01'", fails=1, status="failed")
# A Python function, not the one of obs.
db.create_function("is_address", 1, lambda text: re.fullmatch("[^@ ]+@[^@ ]+", text) is not None)
part("customers_email_form", "customers", "NOT is_address(email)", "email IS NOT NULL", fails=1, status="failed")
part("customers_name_length", "customers", "LENGTH(name) NOT BETWEEN 1 AND 40", fails=1, status="failed")
part("customers_password_length", "customers", "LENGTH(password) < 8", fails=1, status="failed")
part("customers_password_form", "customers", "password NOT LIKE 'hunter2-%'", fails=1, status="failed")
number("customers_fresh", "failed", None)
number("customers_fresh_soon", "warned", None)
number("customers_not_from_the_future", "passed", None)
number("customers_score_mean", "passed", one("SELECT AVG(score) FROM customers"))
number("customers_countries", "failed", one("SELECT COUNT(DISTINCT country) FROM customers"))
add("customers_id_distinct", "passed", count=customers, of=customers)

number("orders_rows", "passed", orders)
part("orders_customer", "orders", "customer_id NOT IN (SELECT id FROM customers)", "customer_id IS NOT NULL", fails=1)
part("orders_product", "orders", "product_id NOT IN (SELECT id FROM products)", "product_id IS NOT NULL", fails=1, status="passed")
part("orders_product_null", "orders", "product_id IS NULL", warn_share=0.0001, status="warned")
part("orders_amount", "orders", "amount < 0", fails=1, status="failed")
part("orders_amount_most", "orders", "amount > 1000", fails=1, status="passed")
part("orders_sum", "orders", "net + tax <> amount", share=0.005, warns=2, status="warned")
part("orders_status", "orders", "status NOT IN ('new', 'paid', 'shipped')", fails=1, status="failed")
number("orders_paid", "passed", one("SELECT COUNT(*) FROM orders WHERE status = 'paid'"))
part("orders_shipped_later", "orders", "shipped < ordered", fails=1, status="failed")
part("orders_dates", "orders", "shipped < ordered", fails=1, status="failed")
part("orders_received_later", "orders", "received < shipped", "received IS NOT NULL", fails=1, status="passed")
part("orders_market_currency", "orders", "NOT (market IN ('DE', 'FR') AND currency = 'EUR' OR market = 'US' AND currency = 'USD')", fails=1, status="failed")
below = [str(key) for (key,) in db.execute("SELECT id FROM orders WHERE amount < 0 AND id > 10")]
number("orders_below_zero", "failed" if below else "passed", len(below))
expected["orders_below_zero"]["keys"] = sorted(below)
part("orders_currency_length", "orders", "LENGTH(currency) <> 3", fails=1, status="passed")
part("orders_currency_form", "orders", "currency <> UPPER(currency)", fails=1, status="passed")
number("orders_net_sum", "passed", one("SELECT SUM(net) FROM orders"))
number("orders_net_least", "passed", one("SELECT MIN(net) FROM orders"))
number("orders_net_most", "failed", one("SELECT MAX(net) FROM orders"))
values = [v for (v,) in db.execute("SELECT net FROM orders ORDER BY net")]
# The lower one of two in the middle.
number("orders_net_median", "passed", values[(len(values) - 1) // 2])
number("orders_markets", "failed", one("SELECT COUNT(*) FROM (SELECT DISTINCT market, currency FROM orders)"))
add("orders_of_no_day", "no_data", count=0, of=0)
add("orders_of_no_day_allowed", "passed", count=0, of=0)
number("orders_like_before", "failed", orders)
number("orders_no_column", "errored", None)
number("orders_no_column_info", "errored", None)
number("orders_columns", "passed", None)

number("payments_rows", "passed", payments)
groups = "SELECT order_id, COUNT(*) AS n FROM payments GROUP BY order_id"
twice = f"SELECT id FROM payments WHERE order_id IN (SELECT order_id FROM ({groups}) WHERE n > 1)"
keys = [str(key) for (key,) in db.execute(twice)]
add("payments_order_unique", "warned", count=one(f"SELECT SUM(n - 1) FROM ({groups})"), of=payments, keys=keys)
part("payments_method", "payments", "method NOT IN ('card', 'cash', 'wire')", fails=1, status="failed")
number("payments_amount_text", "errored", None)
part("payments_amount_number", "payments", "amount_text GLOB '*[^0-9]*' OR CAST(amount_text AS REAL) < 10", fails=1, status="failed")
part("payments_order", "payments", "order_id NOT IN (SELECT id FROM orders)", fails=1, status="passed")
part("payments_amount", "payments", "amount <= 0", fails=1, status="passed")

part("products_code", "products", "LENGTH(code) <> 6 OR code NOT GLOB 'P[0-9][0-9][0-9][0-9][0-9]'", fails=1, status="failed")
part("products_price", "products", "price < 1 OR price > 100", fails=1, status="passed")

smallest, largest, seen = db.execute("SELECT MIN(number), MAX(number), COUNT(*) FROM events").fetchone()
gaps = largest - smallest + 1 - seen
number("events_numbers", "failed" if gaps >= 1 else "passed", gaps)
meters = [m for (m,) in db.execute("SELECT meter FROM events ORDER BY id")]
broken = [str(i + 2) for i, (a, b) in enumerate(zip(meters, meters[1:])) if b < a]
add("events_meter", "failed" if broken else "passed", count=len(broken), of=events, keys=broken)
worst = max(
    ((n, c) for n, c in db.execute("SELECT SUM(value IS NULL), COUNT(*) FROM events GROUP BY region")), key=lambda group: group[0] / group[1]
)
add("events_value_null", "failed", count=worst[0], of=worst[1])
days = sorted({datetime.date.fromisoformat(d) for (d,) in db.execute("SELECT day FROM events")})
missing = (days[-1] - days[0]).days + 1 - len(days)
number("events_days", "failed" if missing >= 1 else "passed", missing)
number("gate", "failed", None)
number("behind_the_gate", "skipped", None)
print(json.dumps(expected))
