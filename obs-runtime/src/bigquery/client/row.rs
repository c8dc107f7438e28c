//! Deserializes a row of a result.

use gcp_bigquery_client::model::field_type::FieldType;
use gcp_bigquery_client::model::table_field_schema::TableFieldSchema;
use gcp_bigquery_client::model::table_row::TableRow;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;

use crate::bigquery::client::timestamp;

/// What is wrong with a row.
pub type Fault = serde::de::value::Error;

/// Deserializes a row: a struct or a map by column names, a tuple by column order, a scalar from the only column.
pub fn read<T: DeserializeOwned>(fields: &[TableFieldSchema], row: &TableRow) -> Result<T, Fault> {
    let none = Value::Null;
    let cells = row.columns.as_deref().unwrap_or_default();
    let cells: Vec<Cell<'_>> = fields
        .iter()
        .enumerate()
        .map(|(at, field)| Cell::new(field, cells.get(at).and_then(|cell| cell.value.as_ref()).unwrap_or(&none)))
        .collect();
    T::deserialize(Row(cells))
}

struct Row<'r>(Vec<Cell<'r>>);

impl<'r> Row<'r> {
    fn map<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(MapDeserializer::new(self.0.into_iter().map(|cell| (cell.field.name.as_str(), cell))))
    }

    fn seq<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(SeqDeserializer::new(self.0.into_iter()))
    }

    fn only(self) -> Result<Cell<'r>, Fault> {
        let [cell] = self.0.as_slice() else {
            return Err(Fault::custom(format!("it has {} columns where one value is wanted", self.0.len())));
        };
        Ok(*cell)
    }
}

macro_rules! of_the_only_column {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.only()?.$method(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Row<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.map(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.seq(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Fault> {
        self.seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &str, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.seq(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        of: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.only()?.deserialize_enum(name, of, visitor)
    }

    of_the_only_column! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64
        deserialize_char deserialize_str deserialize_string deserialize_option
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _name: &str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { bytes byte_buf map struct identifier ignored_any }
}

/// The value of a column.
#[derive(Clone, Copy)]
struct Cell<'r> {
    field: &'r TableFieldSchema,
    value: &'r Value,
    is_array: bool,
}

impl<'r> Cell<'r> {
    fn new(field: &'r TableFieldSchema, value: &'r Value) -> Self {
        Self { field, value, is_array: field.mode.as_deref() == Some("REPEATED") }
    }

    fn fault(&self, wanted: &str) -> Fault {
        Fault::custom(format!("column `{}` of type {:?} is no {wanted}", self.field.name, self.field.r#type))
    }

    /// The text by which BigQuery encodes a scalar.
    fn text(&self) -> Result<&'r str, Fault> {
        match self.value {
            Value::String(text) => Ok(text),
            _ => Err(self.fault("plain value")),
        }
    }

    /// Parses a timestamp into microseconds since the Unix epoch.
    fn micros(&self) -> Option<i64> {
        timestamp::micros(self.text().ok()?)
    }

    fn whole<T: std::str::FromStr>(&self, of_micros: impl FnOnce(i64) -> Option<T>) -> Result<T, Fault> {
        let whole = match self.field.r#type {
            FieldType::Timestamp => self.micros().and_then(of_micros),
            _ => self.text()?.parse().ok(),
        };
        whole.ok_or_else(|| self.fault(std::any::type_name::<T>()))
    }

    fn float(&self) -> Result<f64, Fault> {
        let text = self.text()?;
        // `f64::from_str` accepts `inf`, `Infinity` and `NaN` as BigQuery writes them.
        text.parse().map_err(|_| self.fault("number"))
    }

    fn elements(self) -> Result<impl Iterator<Item = Cell<'r>>, Fault> {
        let Value::Array(elements) = self.value else { return Err(self.fault("array")) };
        let element =
            move |element: &'r Value| Cell { value: element.get("v").unwrap_or(element), is_array: false, ..self };
        Ok(elements.iter().map(element))
    }

    fn fields(self) -> Result<Row<'r>, Fault> {
        let cells = self.value.get("f").and_then(Value::as_array).ok_or_else(|| self.fault("struct"))?;
        let fields = self.field.fields.as_deref().unwrap_or_default();
        let cell = |(field, cell): (&'r TableFieldSchema, &'r Value)| Cell::new(field, cell.get("v").unwrap_or(cell));
        Ok(Row(fields.iter().zip(cells).map(cell).collect()))
    }

    const fn is_record(&self) -> bool {
        matches!(self.field.r#type, FieldType::Record | FieldType::Struct)
    }

    /// The elements or fields of a JSON value.
    fn json(&self) -> Result<Value, Fault> {
        serde_json::from_str(self.text()?).map_err(Fault::custom)
    }
}

macro_rules! wholes {
    ($($method:ident $visit:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            visitor.$visit(self.whole(|micros| micros.try_into().ok())?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Cell<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.value.is_null() {
            return visitor.visit_none();
        }
        if self.is_array {
            return visitor.visit_seq(SeqDeserializer::new(self.elements()?));
        }
        match self.field.r#type {
            FieldType::Record | FieldType::Struct => self.fields()?.map(visitor),
            FieldType::Integer | FieldType::Int64 => visitor.visit_i64(self.whole(Some)?),
            FieldType::Float | FieldType::Float64 => visitor.visit_f64(self.float()?),
            FieldType::Boolean | FieldType::Bool => visitor.visit_bool(self.text()? == "true"),
            FieldType::Timestamp => match self.micros().and_then(timestamp::rfc3339) {
                Some(time) => visitor.visit_string(time),
                None => visitor.visit_str(self.text()?),
            },
            _ => visitor.visit_str(self.text()?),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_f64(self.float()?)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_f64(self.float()?)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.field.r#type {
            _ if self.is_array => visitor.visit_seq(SeqDeserializer::new(self.elements()?)),
            FieldType::Json => self.json()?.deserialize_seq(visitor).map_err(Fault::custom),
            _ if self.is_record() => self.fields()?.seq(visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &str, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.field.r#type {
            FieldType::Json if !self.is_array => self.json()?.deserialize_map(visitor).map_err(Fault::custom),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        of: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.text()?.into_deserializer().deserialize_enum(name, of, visitor)
    }

    wholes! {
        deserialize_i8 visit_i8; deserialize_i16 visit_i16; deserialize_i32 visit_i32; deserialize_i64 visit_i64;
        deserialize_i128 visit_i128; deserialize_u8 visit_u8; deserialize_u16 visit_u16; deserialize_u32 visit_u32;
        deserialize_u64 visit_u64; deserialize_u128 visit_u128;
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.field.r#type {
            // Formatted for reading.
            FieldType::Timestamp => self.deserialize_any(visitor),
            _ if self.is_array || self.is_record() => self.deserialize_any(visitor),
            _ => visitor.visit_str(self.text()?),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    forward_to_deserialize_any! { bool char bytes byte_buf unit unit_struct identifier ignored_any }
}

impl IntoDeserializer<'_, Fault> for Cell<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Place {
        lat: f64,
        name: Option<String>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Cheap,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Order {
        id: u64,
        price: f64,
        exact: String,
        paid: bool,
        at: String,
        place: Place,
        tags: Vec<String>,
        kind: Kind,
        note: Option<String>,
        extra: std::collections::BTreeMap<String, i64>,
    }

    fn order() -> (Vec<TableFieldSchema>, TableRow) {
        let fields = json!([
            {"name": "id", "type": "INTEGER"}, {"name": "price", "type": "NUMERIC"}, {"name": "exact", "type": "NUMERIC"},
            {"name": "paid", "type": "BOOLEAN"}, {"name": "at", "type": "TIMESTAMP"},
            {"name": "place", "type": "RECORD", "fields": [{"name": "lat", "type": "FLOAT"}, {"name": "name", "type": "STRING"}]},
            {"name": "tags", "type": "STRING", "mode": "REPEATED"}, {"name": "kind", "type": "STRING"},
            {"name": "note", "type": "STRING"}, {"name": "extra", "type": "JSON"}
        ]);
        let row = json!({"f": [
            {"v": "7"}, {"v": "1.25"}, {"v": "0.10"}, {"v": "true"}, {"v": "1.408452095123456E9"},
            {"v": {"f": [{"v": "NaN"}, {"v": null}]}}, {"v": [{"v": "a"}, {"v": "b"}]}, {"v": "cheap"}, {"v": null},
            {"v": "{\"n\": 3}"}
        ]});
        (serde_json::from_value(fields).unwrap(), serde_json::from_value(row).unwrap())
    }

    #[test]
    fn a_row_is_read_as_a_struct() {
        let (fields, row) = order();
        let order: Order = read(&fields, &row).unwrap();
        assert!(order.place.lat.is_nan());
        assert_eq!((order.id, order.price, &*order.exact, order.paid), (7, 1.25, "0.10", true));
        assert_eq!(order.at, "2014-08-19T12:41:35.123456Z");
        assert_eq!((order.tags, order.kind, order.note), (vec!["a".into(), "b".into()], Kind::Cheap, None));
        assert_eq!(order.extra["n"], 3);
    }

    type PlaceTuple = (f64, Option<String>);
    type Tuple = (i64, f64, String, bool, i64, PlaceTuple, Vec<String>, String, Option<u8>, Value);

    #[test]
    fn a_row_is_read_as_a_tuple_a_map_or_its_only_value() {
        let (fields, row) = order();
        let tuple: Tuple = read(&fields, &row).unwrap();
        assert_eq!((tuple.0, tuple.4), (7, 1_408_452_095_123_456));
        let map: serde_json::Map<String, Value> = read(&fields, &row).unwrap();
        assert_eq!(map["tags"], json!(["a", "b"]));
        let first = TableRow { columns: row.columns.map(|columns| columns[..1].to_vec()) };
        assert_eq!(read::<u8>(&fields[..1], &first), Ok(7));
        assert_eq!(read::<Option<String>>(&fields[..1], &first), Ok(Some("7".to_owned())));
    }

    #[derive(Debug, Deserialize)]
    struct Wrong {
        #[expect(dead_code, reason = "it is never made")]
        exact: u8,
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let (fields, row) = order();
        let error = read::<u8>(&fields, &row).unwrap_err().to_string();
        assert!(error.contains("10 columns where one value is wanted"), "{error}");
        let error = read::<Wrong>(&fields, &row).unwrap_err().to_string();
        assert!(error.contains("column `exact` of type Numeric is no u8"), "{error}");
    }
}
