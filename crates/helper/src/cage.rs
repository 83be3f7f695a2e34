use crate::shared::Shared;
use crate::tree::Process;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use uwt_policy::Errno;
pub(crate) struct Cage;
impl Cage {
    pub(crate) fn make(_: &Rc<Shared>) -> io::Result<Rc<Cage>> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
    pub(crate) fn mint(&self, _: &Rc<Process>, _: i32, _: i32, _: i32) -> Result<OwnedFd, Errno> {
        Err(Errno::EACCES)
    }
    pub(crate) fn given(&self, _: &Process, _: i32, _: u64) {}
    pub(crate) fn is_caged(&self, _: u64) -> bool {
        false
    }
    pub(crate) fn has_given(&self, _: &Process, _: i32) -> bool {
        false
    }
    pub(crate) fn listen(&self, _: &Rc<Process>, _: Option<u64>, _: i32, _: i32) -> Result<OwnedFd, Errno> {
        Err(Errno::EACCES)
    }
}
