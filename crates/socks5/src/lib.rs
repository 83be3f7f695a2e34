//! Sans-IO SOCKS5 client.
#![no_std]
#![forbid(unsafe_code)]
