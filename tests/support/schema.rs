//! The JSON Schemas in `bundle-format/schemas`.

use std::fs;
use std::path::Path;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

/// One compiled schema.
pub(crate) struct Schema {
    name: &'static str,
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    pub(crate) fn new(name: &'static str) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("bundle-format/schemas/{name}.schema.json"));
        let document: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        assert_eq!(document["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(document["$id"], format!("urn:sealift:{name}"));
        let location = "http://schemas.invalid/schema.json";
        let mut compiler = Compiler::new();
        compiler.enable_format_assertions();
        compiler.add_resource(location, document).unwrap();
        let mut schemas = Schemas::new();
        let index = compiler.compile(location, &mut schemas).map_err(|it| format!("{it:#}"));
        let index = index.unwrap();
        Self { name, schemas, index }
    }

    #[track_caller]
    pub(crate) fn accepts(&self, document: &Value) {
        let error = self.schemas.validate(document, self.index).err().map(|it| it.to_string());
        assert_eq!(error, None, "{}", self.name);
    }

    #[track_caller]
    pub(crate) fn refuses(&self, what: &str, document: &Value) {
        assert!(!self.fits(document), "{} accepts {what}: {document}", self.name);
    }

    /// Whether the document is one of this schema.
    pub(crate) fn fits(&self, document: &Value) -> bool {
        self.schemas.validate(document, self.index).is_ok()
    }
}

/// A TOML document as JSON; times are strings.
pub(crate) fn toml_as_json(text: &str) -> Value {
    fn convert(value: toml::Value) -> Value {
        match value {
            toml::Value::Datetime(time) => json!(time.to_string()),
            toml::Value::Array(list) => list.into_iter().map(convert).collect(),
            toml::Value::Table(table) => {
                Value::Object(table.into_iter().map(|(key, value)| (key, convert(value))).collect())
            }
            other => serde_json::to_value(other).unwrap(),
        }
    }
    convert(toml::Value::Table(text.parse().unwrap()))
}
