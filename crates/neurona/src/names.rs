//! Enums that may be written as a bare name where the parameters have defaults.

/// Serialization for an enum that derives it under `#[serde(remote = "Self")]`: the listed names stand
/// for the listed values, everything else is as derived (`"relu"`, `{ elu = { alpha = 1.0 } }`).
macro_rules! name_or_table {
    ($type:ident, $expecting:literal, { $($name:literal => $value:expr),* $(,)? }) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                $type::serialize(self, to)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<$type, D::Error> {
                struct Visitor;
                impl<'de> serde::de::Visitor<'de> for Visitor {
                    type Value = $type;
                    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                        f.write_str($expecting)
                    }
                    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<$type, E> {
                        match name {
                            $($name => Ok($value),)*
                            _ => $type::deserialize(serde::de::IntoDeserializer::<E>::into_deserializer(name)),
                        }
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<$type, A::Error> {
                        $type::deserialize(serde::de::value::MapAccessDeserializer::new(map))
                    }
                }
                from.deserialize_any(Visitor)
            }
        }
    };
}
pub(crate) use name_or_table;
