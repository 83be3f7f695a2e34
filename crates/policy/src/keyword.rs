//! Enums whose values are words in configuration files, on the command line and in the session variable.

macro_rules! keyword_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$vmeta])* $variant),* }

        impl $name {
            /// Every value, in the order it is documented.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word used in configuration files, on the command line and in the session variable.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }

        impl core::str::FromStr for $name {
            type Err = ();

            /// # Errors
            /// The word is none of [`Self::ALL`].
            fn from_str(text: &str) -> Result<Self, ()> {
                // Not a `match`, which would be code for each word.
                let index = crate::keyword::position(concat!($($text, " "),*), text).ok_or(())?;
                Self::ALL.get(index).copied().ok_or(())
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result { f.pad(self.as_str()) }
        }
    };
}

/// Which of the words in `list`, each followed by a space, `word` is.
#[inline(never)]
pub(crate) fn position(list: &str, word: &str) -> Option<usize> {
    list.as_bytes().split(|byte| *byte == b' ').position(|entry| entry == word.as_bytes()).filter(|_| !word.is_empty())
}
pub(crate) use keyword_enum;
